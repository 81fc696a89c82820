/**
 * Vitest's `globalSetup`: one Redis for all test files of a run. It dies with vitest even when vitest is killed, so an
 * interrupted run leaves nothing.
 */
import type { TestProject } from 'vitest/node';
import { provideRedis } from '../redis/start-redis.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await provideRedis();
  project.provide('redisUrl', redis.url);
  return () => redis.stop();
}

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the Redis that all test files share. */
    redisUrl: string;
  }
}
