import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['*.leaking.ts'],
    globalSetup: '@millrace/testkit/vitest-setup',
    pool: 'forks',
  },
});
