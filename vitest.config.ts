import { defineConfig } from 'vitest/config';

/** Files at a time, on every machine: many of them wait most of their time, and each has a daemon of its own. */
const maxWorkers = 2;

/** Unit tests spend about a third of their time waiting. They run first: who has another number of workers runs apart. */
const unit = { maxWorkers: 3, sequence: { groupOrder: 0 } };

const afterUnit = { groupOrder: 1 };

/** Files of the system tests that try the same again and again: in the long ones, more often. */
const CYCLED = ['crash', 'guest-journal', 'restart', 'signals'].map(
  (name) => `packages/host/test/${name}.test.ts`,
);

/** What nearly every system test needs, made once. */
const globalSetup = 'packages/host/test/harness/busybox-setup.ts';

/** Each a short form of `npm run fuzz`, or of the same kind: they take all of a core while they last. */
const FUZZ = ['fuzz/**/*.test.ts', 'packages/host/src/lane/differential.test.ts'];

/** Rooms between the two edges: state, use cases and what a start settles. */
const HEART = ['model', 'instances', 'profiles', 'library', 'startup'].map(
  (room) => `packages/host/src/${room}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts', 'setup/*.test.mjs'],
          exclude: [...HEART, ...FUZZ],
          // Most files are done in less time than it takes to load what they share. They change nothing of the process.
          isolate: false,
          ...unit,
        },
      },
      {
        test: {
          // All in memory: their files are done in less time than it takes to load what they share.
          name: 'unit-heart',
          include: HEART,
          isolate: false,
          ...unit,
        },
      },
      {
        test: {
          name: 'system',
          globalSetup,
          include: ['packages/*/test/**/*.test.ts'],
          exclude: ['packages/*/test/long/**'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: afterUnit,
        },
      },
      {
        test: {
          // What takes minutes: `npm run test:long`.
          name: 'long',
          globalSetup,
          include: ['packages/*/test/long/**/*.test.ts', ...CYCLED],
          env: { PORTHOLE_CYCLES: 'all' },
          testTimeout: 900_000,
          hookTimeout: 180_000,
          // One at a time: each takes all of the machine.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          // The guest API as its server answers it where there is no fast lane.
          name: 'system-without-lane',
          globalSetup,
          include: ['packages/host/test/guest-*.test.ts'],
          env: { PORTHOLE_FAST_LANE: 'off' },
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: afterUnit,
        },
      },
      { test: { name: 'fuzz', include: FUZZ, maxWorkers, sequence: afterUnit } },
      { test: { name: 'tidy', include: ['tools/**/*.test.ts'], maxWorkers, sequence: afterUnit } },
    ],
  },
});
