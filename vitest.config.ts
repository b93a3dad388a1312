import { defineConfig } from 'vitest/config';

/** Files at a time, on every machine: many of them wait most of their time, and each has a daemon of its own. */
const maxWorkers = 2;

/** Of the unit tests: about a third of their time is spent waiting. */
const unitWorkers = 3;

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
          maxWorkers: unitWorkers,
        },
      },
      {
        test: {
          // All in memory: their files are done in less time than it takes to load what they share.
          name: 'unit-heart',
          include: HEART,
          isolate: false,
          maxWorkers: unitWorkers,
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
        },
      },
      { test: { name: 'fuzz', include: FUZZ, maxWorkers } },
      { test: { name: 'tidy', include: ['tools/**/*.test.ts'], maxWorkers } },
    ],
  },
});
