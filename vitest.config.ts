import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts', 'setup/*.test.mjs'],
        },
      },
      {
        test: {
          name: 'system',
          include: ['packages/*/test/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          // The guest API as its server answers it where there is no fast lane.
          name: 'system-without-lane',
          include: ['packages/host/test/guest-*.test.ts'],
          env: { PORTHOLE_FAST_LANE: 'off' },
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { name: 'tidy', include: ['tools/**/*.test.ts'] } },
    ],
  },
});
