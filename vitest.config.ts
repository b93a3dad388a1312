import { defineConfig } from 'vitest/config';

/** Test files at a time, on every machine: many wait most of their time, and each has its own daemon. */
const maxWorkers = 2;

/**
 * Unit tests wait for about a third of their time. They run first, because projects with different numbers of
 * workers run one after another.
 */
const unit = {
  maxWorkers: 3,
  sequence: { groupOrder: 0 },
  // A tenth less time: the collector of Node runs less often.
  execArgv: ['--max-semi-space-size=32'],
};

const afterUnit = { groupOrder: 1 };

/** System tests that try the same again and again, or in many ways; the project `long` tries more. */
const CYCLED = ['archives', 'crash', 'fleet/interrupted', 'guest-journal', 'restart', 'signals', 'sizes'].map(
  (name) => `packages/host/test/${name}.test.ts`,
);

/** Those of them that take more than a minute also when they try little. */
const CYCLED_LONG = ['crash', 'restart'].map((name) => `packages/host/test/${name}.test.ts`);

/** File systems that never answer: for most of its time it waits for the daemon's limits. */
const HANG = 'packages/host/test/hang.test.ts';

/** Long tests that wait for downloads, builds and boots for much of their time. */
const ROOTS = [
  ...[
    'ansible',
    'cloud-init',
    'debian-13',
    'distributions',
    'guest-package',
    'installed',
    'nspawn',
    'package',
  ],
].map((name) => `packages/host/test/long/${name}.test.ts`);

/** Tests of the guest API that take a minute; without the fast lane they are long tests. */
const HOSTILE = ['guest-defects', 'guest-slow'].map((name) => `packages/host/test/${name}.test.ts`);

/** Tests of the CLI and the guest API, which are run on the built form too. */
const BUILT = ['cli', 'edits', 'guest-*'].map((name) => `packages/host/test/${name}.test.ts`);

/** Makes the image that nearly every system test needs, once. */
const globalSetup = 'packages/host/test/harness/busybox-setup.ts';

/**
 * Unit tests that are no part of `npm run test:unit`, which should take less than 40 s: short forms of
 * `npm run fuzz`, tests that measure a core, tests that run programs or threads for seconds.
 */
const SLOW = [
  'fuzz/**/*.test.ts',
  ...[
    'build/busybox',
    'cli/program/main',
    'guest/turns',
    'http/worst-inputs',
    'images/hostile',
    'images/image-directory',
    'lane/differential',
    'lane/lane',
    'lane/loop',
    'sender/file-sender',
  ].map((name) => `packages/host/src/${name}.test.ts`),
];

/** Rooms between the two edges: state, use cases and the work of a start. */
const HEART = ['model', 'instances', 'profiles', 'library', 'startup', 'containers'].map(
  (room) => `packages/host/src/${room}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'bench/**/*.test.ts',
            'faults/**/*.test.ts',
            'soak/**/*.test.ts',
            'setup/*.test.mjs',
          ],
          exclude: [...HEART, ...SLOW],
          // Most files take less time than loading the modules that they share. They change nothing of the
          // process.
          isolate: false,
          ...unit,
        },
      },
      {
        test: {
          // All in memory: the files take less time than loading the modules that they share.
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
          exclude: ['packages/*/test/long/**', ...CYCLED_LONG, HANG],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: afterUnit,
        },
      },
      {
        test: {
          // Tests that take minutes: `npm run test:long`.
          name: 'long',
          globalSetup,
          include: ['packages/*/test/long/**/*.test.ts', ...CYCLED],
          exclude: ROOTS,
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
          // Also a part of `npm run test:long`.
          name: 'long-roots',
          globalSetup,
          include: [...ROOTS, HANG],
          testTimeout: 900_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          // Also a part of `npm run test:long`: the programs of `npm run build` in the place of the sources.
          name: 'long-built',
          globalSetup: [globalSetup, 'packages/host/test/harness/build-setup.ts'],
          include: BUILT,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          // The guest API without the fast lane.
          name: 'system-without-lane',
          globalSetup,
          include: ['packages/host/test/guest-*.test.ts'],
          exclude: HOSTILE,
          env: { PORTHOLE_FAST_LANE: 'off' },
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: afterUnit,
        },
      },
      {
        test: {
          // Also a part of `npm run test:long`.
          name: 'long-without-lane',
          globalSetup,
          include: HOSTILE,
          env: { PORTHOLE_FAST_LANE: 'off' },
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers,
          sequence: { groupOrder: 4 },
        },
      },
      { test: { name: 'unit-slow', include: SLOW, maxWorkers, sequence: afterUnit } },
      { test: { name: 'tidy', include: ['tools/**/*.test.ts'], maxWorkers, sequence: afterUnit } },
    ],
  },
});
