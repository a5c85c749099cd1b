import { defineConfig } from 'vitest/config'

const shared = { pool: 'forks', testTimeout: 20_000, hookTimeout: 120_000 } as const

/** They measure, as whole runs do, or look at a core with a thread that stands before all others. */
const timed = ['test/engines/sizes.test.ts', 'test/unit/host/pauses.test.ts', 'test/unit/host/speed.test.ts']

// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: {
    projects: [
      // They have servers of their own, and look at nothing else: two files at a time.
      {
        test: {
          ...shared,
          name: 'parts',
          include: ['test/unit/**/*.test.ts', 'test/engines/**/*.test.ts'],
          exclude: timed,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      // Whole runs, which measure time and leave nothing on the machine: one file after another.
      {
        test: {
          ...shared,
          name: 'whole',
          include: ['test/e2e/**/*.test.ts', 'test/hostile/**/*.test.ts', ...timed],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
