import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['*.leaking.ts'],
    globalSetup: '../../src/vitest/global-setup.ts',
    pool: 'forks',
  },
});
