import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'packages/*/{src,test}/**/*.test.ts',
      'apps/*/{src,test}/**/*.test.ts',
      'test/**/*.test.ts',
      'tools/**/*.test.ts',
    ],
    globalSetup: './packages/testkit/src/vitest/global-setup.ts',
    // Processes, not threads: tests send signals, and a test that blocks its event loop must not block the others.
    pool: 'forks',
    // The default leaves a core free, which on two cores means one file at a time; most tests wait more than they compute.
    maxWorkers: '100%',
    testTimeout: 20_000,
    // A test that passes the second time is a defect that nobody looks at.
    retry: 0,
  },
});
