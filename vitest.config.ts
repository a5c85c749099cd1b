import { defineConfig } from 'vitest/config'

// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], fileParallelism: false, pool: 'forks', testTimeout: 20_000, hookTimeout: 120_000 },
})
