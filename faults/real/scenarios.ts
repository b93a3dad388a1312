import { powerOf, type Rows } from '../check/rows.ts';
import type { World } from './world.ts';

/** Notes a request by the events that it makes, does it, and notes its success. */
export type Asking = (tells: readonly string[], work: () => Promise<unknown>) => Promise<void>;

/** Some work of a real daemon, at each step of which faults are tried. */
export interface RealScenario {
  readonly name: string;
  readonly prepare: (world: World) => Promise<void>;
  readonly act: (world: World, asking: Asking) => Promise<void>;
  readonly state: (rows: Rows, world: World) => string;
  /** The states in which the store may be after success; after an error; after a kill. */
  readonly done: readonly string[];
  readonly refused: readonly string[];
  readonly killed: readonly string[];
}

const rowOf = (rows: Rows, name: string) => rows.instances.find((instance) => instance.name === name);
const power = (rows: Rows) => {
  const row = rowOf(rows, 'c1');
  return row ? powerOf(row) : 'none';
};
const ofC1 = (...actions: string[]) => actions.map((action) => `${action} c1`);
const R = 'RUNNING';
const S = 'STOPPED';

const devices = (world: World) => ({
  old: world.disk('old'),
  eth0: world.nic('a', { 'limits.ingress': '10Mbit' }),
});

async function stopped(world: World, fields: object = {}): Promise<void> {
  await world.create('c1', { profiles: ['default', 'p1'], devices: devices(world), ...fields });
}

async function running(world: World, fields: object = {}): Promise<void> {
  await stopped(world, fields);
  await world.state('c1', 'start');
}

/** Work with c1: launch, start, stop, restart, delete. */
const LIFE: readonly RealScenario[] = [
  {
    name: 'launch',
    prepare: async () => {},
    async act(world, asking) {
      await asking(ofC1('instance-created'), () => stopped(world));
      await asking(ofC1('instance-started'), () => world.state('c1', 'start'));
    },
    ...{ state: power, done: [R], refused: ['none', S, R], killed: ['none', S, R] },
  },
  {
    name: 'start',
    prepare: stopped,
    act: (world, asking) => asking(ofC1('instance-started'), () => world.state('c1', 'start')),
    ...{ state: power, done: [R], refused: [S, R], killed: [S, R] },
  },
  {
    name: 'stop',
    prepare: running,
    act: (world, asking) => asking(ofC1('instance-shutdown'), () => world.state('c1', 'stop')),
    ...{ state: power, done: [S], refused: [R, S], killed: [R, S] },
  },
  {
    name: 'restart',
    prepare: running,
    act: (world, asking) => asking(ofC1('instance-restarted'), () => world.state('c1', 'restart', true)),
    ...{ state: power, done: [R], refused: [R, S], killed: [R] },
  },
  {
    name: 'delete',
    prepare: stopped,
    act: (world, asking) => asking(ofC1('instance-deleted'), () => world.delete('c1')),
    ...{ state: power, done: ['none'], refused: [S, 'none'], killed: [S, 'none'] },
  },
];

const added = (rows: Rows, world: World) => String(rows.images.length > world.imagesBefore);

const IMAGES: readonly RealScenario[] = [
  {
    name: 'import',
    prepare: async (world) => world.countImages(),
    act: (world, asking) => asking([], () => world.import()),
    ...{ state: added, done: ['true'], refused: ['false'], killed: ['true', 'false'] },
  },
  {
    name: 'export',
    async prepare(world) {
      world.countImages();
      world.lastImage = await world.import();
    },
    act: (world, asking) =>
      asking([`image-retrieved ${world.lastImage}`], () => world.export(world.lastImage)),
    ...{ state: added, done: ['true'], refused: ['true'], killed: ['true'] },
  },
];

const edited = (rows: Rows) => rows.profiles.find(({ name }) => name === 'p1')?.config['user.p'] ?? 'none';
const devicesOf = (rows: Rows) =>
  Object.keys(rowOf(rows, 'c1')?.devices ?? {})
    .sort()
    .join();

const CHANGES: readonly RealScenario[] = [
  {
    name: 'profile edit',
    async prepare(world) {
      await running(world);
      await world.create('c2', { profiles: ['default', 'p1'] });
      await world.state('c2', 'start');
    },
    act: (world, asking) =>
      asking(['profile-updated p1'], () =>
        world.change('PUT', '/1.0/profiles/p1', {
          description: '',
          config: { 'user.p': 'new', 'limits.memory': '64MiB' },
          devices: { shared: world.disk('shared') },
        }),
      ),
    ...{ state: edited, done: ['new'], refused: ['old'], killed: ['old', 'new'] },
  },
  {
    name: 'device change',
    prepare: running,
    act: (world, asking) =>
      asking(ofC1('instance-updated'), () =>
        world.patch('c1', {
          devices: {
            old: null,
            eth0: null,
            mnt: world.disk('mnt'),
            lan: world.nic('b'),
          },
        }),
      ),
    ...{ state: devicesOf, done: ['lan,mnt'], refused: ['eth0,old'], killed: ['eth0,old', 'lan,mnt'] },
  },
  {
    name: 'adoption',
    prepare: async () => {},
    act: (world, asking) => asking(['instance-created a1', 'instance-started a1'], () => world.adopt('a1')),
    state: (rows) => (rowOf(rows, 'a1') ? R : 'none'),
    ...{ done: [R], refused: ['none'], killed: ['none', R] },
  },
];

/** Ends of a daemon with a running instance, and starts of the next one. */
const STARTS: readonly RealScenario[] = [
  {
    name: 'hand-over',
    prepare: running,
    act: (world) => world.daemon.restartInPlace(),
    ...{ state: power, done: [R], refused: [R], killed: [R] },
  },
  {
    name: 'recovery',
    prepare: running,
    async act(world) {
      await world.daemon.kill();
      await world.daemon.start();
    },
    ...{ state: power, done: [R], refused: [R], killed: [R] },
  },
  {
    name: 'recovery of a device change',
    async prepare(world) {
      await running(world);
      const name = 'commit added+additions+instance-updated+instances+removed';
      await world.killAt({ name, count: 1, when: 'before', kind: 'kill' }, () =>
        world.patch('c1', { devices: { old: null, eth0: null, mnt: world.disk('mnt') } }),
      );
    },
    act: (world) => world.daemon.start(),
    ...{ state: devicesOf, done: ['eth0,old'], refused: ['eth0,old'], killed: ['eth0,old'] },
  },
  {
    name: 'recovery of a start',
    async prepare(world) {
      await stopped(world);
      await world.killAt({ name: 'program lxc-start', count: 1, when: 'after', kind: 'kill' }, () =>
        world.state('c1', 'start'),
      );
    },
    act: (world) => world.daemon.start(),
    ...{ state: power, done: [R], refused: [R], killed: [R] },
  },
];

/** All work that is walked through on a real daemon. */
export const REAL: readonly RealScenario[] = [...LIFE, ...IMAGES, ...CHANGES, ...STARTS];
