import { createHash } from 'node:crypto';
import { disk, nic } from '../../packages/host/src/instances/testing/devices.ts';
import { BY, type Heart } from '../../packages/host/src/instances/testing/heart.ts';
import type { Rows } from '../check/rows.ts';
import { asked, create, importImage, powerIn, type Scenario } from './scenario.ts';

const OLD = { old: disk('/old'), eth0: nic(), kept: disk('/kept') };
const NEW = { mnt: disk('/mnt'), lan: nic(), kept: disk('/kept') };
const BYTES = 'an image';
const FINGERPRINT = createHash('sha256').update(BYTES).digest('hex');

const power = (rows: Rows) => powerIn(rows, 'c1');
const hasImage = (rows: Rows) => String(rows.images.includes(FINGERPRINT));

/** The image and an instance of another profile, which no fault may touch. */
async function neighbour(heart: Heart): Promise<void> {
  heart.addImage();
  heart.addProfile('p1', { config: { 'user.p': 'old' } });
  await create(heart, 'o1', { config: { 'user.who': 'o1' } });
  await heart.setState('o1', 'start');
}

async function stopped(heart: Heart, part: object = {}): Promise<void> {
  await neighbour(heart);
  await create(heart, 'c1', { profiles: ['default', 'p1'], devices: OLD, ...part });
}

async function running(heart: Heart, part: object = {}): Promise<void> {
  await stopped(heart, part);
  await heart.setState('c1', 'start');
}

const ofC1 = (...actions: string[]) => actions.map((action) => `${action} c1`);
const change = (devices: object) => (heart: Heart) =>
  heart.done(heart.host.instances.update('c1', { ...heart.get('c1'), devices } as never, BY));

const devicesIn = (rows: Rows) =>
  Object.keys(rows.instances.find(({ name }) => name === 'c1')?.devices ?? {})
    .sort()
    .join();

/** What operators do with instances. */
const INSTANCES: readonly Scenario[] = [
  {
    name: 'launch',
    prepare: neighbour,
    async act(heart, ask) {
      await asked(ask, ofC1('instance-created'), () => create(heart, 'c1', { devices: OLD }));
      await asked(ask, ofC1('instance-started'), () => heart.setState('c1', 'start'));
    },
    ...{ state: power, from: 'none', to: 'RUNNING', between: ['STOPPED'], refused: ['STOPPED', 'RUNNING'] },
  },
  {
    name: 'start',
    prepare: stopped,
    act: (heart, ask) => asked(ask, ofC1('instance-started'), () => heart.setState('c1', 'start')),
    ...{ state: power, from: 'STOPPED', to: 'RUNNING', refused: ['RUNNING'] },
  },
  {
    name: 'stop',
    prepare: running,
    act: (heart, ask) => asked(ask, ofC1('instance-shutdown'), () => heart.setState('c1', 'stop')),
    ...{ state: power, from: 'RUNNING', to: 'STOPPED', refused: ['STOPPED'] },
  },
  {
    name: 'forced stop of a frozen instance',
    async prepare(heart) {
      await running(heart);
      await heart.setState('c1', 'freeze');
    },
    act: (heart, ask) =>
      asked(ask, ofC1('instance-stopped'), () => heart.setState('c1', 'stop', { force: true })),
    ...{ state: power, from: 'RUNNING', to: 'STOPPED', refused: ['STOPPED'] },
  },
  {
    name: 'restart',
    prepare: running,
    act: (heart, ask) => asked(ask, ofC1('instance-restarted'), () => heart.setState('c1', 'restart')),
    ...{ state: power, from: 'RUNNING', to: 'RUNNING', refused: ['STOPPED'] },
  },
  {
    name: 'delete',
    prepare: stopped,
    act: (heart, ask) =>
      asked(ask, ofC1('instance-deleted'), () => heart.done(heart.host.instances.delete('c1', BY))),
    ...{ state: power, from: 'STOPPED', to: 'none', refused: ['none'] },
  },
  {
    name: 'stop of an ephemeral instance',
    prepare: (heart) => running(heart, { ephemeral: true }),
    act: (heart, ask) =>
      asked(ask, ofC1('instance-deleted', 'instance-stopped'), () =>
        heart.setState('c1', 'stop', { force: true }),
      ),
    ...{ state: power, from: 'RUNNING', to: 'none', refused: ['none'] },
  },
];

/** What operators do with images. */
const IMAGES: readonly Scenario[] = [
  {
    name: 'import',
    prepare: neighbour,
    act: (heart, ask) => asked(ask, [`image-created ${FINGERPRINT}`], () => importImage(heart, BYTES)),
    ...{ state: hasImage, from: 'false', to: 'true' },
  },
  {
    name: 'export',
    async prepare(heart) {
      await neighbour(heart);
      await importImage(heart, BYTES);
    },
    act: (heart, ask) =>
      asked(ask, [`image-retrieved ${FINGERPRINT}`], () => heart.host.images.export(FINGERPRINT, BY)),
    ...{ state: hasImage, from: 'true', to: 'true' },
  },
  {
    name: 'delete of an image',
    async prepare(heart) {
      await neighbour(heart);
      await importImage(heart, BYTES);
    },
    act: (heart, ask) =>
      asked(ask, [`image-deleted ${FINGERPRINT}`], () =>
        heart.done(heart.host.images.delete(FINGERPRINT, BY)),
      ),
    ...{ state: hasImage, from: 'true', to: 'false', refused: ['false'] },
  },
];

const EDIT = {
  description: '',
  config: { 'user.p': 'new', 'limits.memory': '64MiB', 'limits.processes': '9' },
  devices: { shared: disk('/shared') },
};
const profileIn = (rows: Rows) => rows.profiles.find(({ name }) => name === 'p1')?.config['user.p'] ?? 'none';

/** Changes of config and devices. */
const CHANGES: readonly Scenario[] = [
  {
    name: 'profile edit',
    async prepare(heart) {
      await running(heart);
      await create(heart, 'c2', { profiles: ['default', 'p1'] });
      await heart.setState('c2', 'start');
      await create(heart, 'c3', { profiles: ['default', 'p1'] });
    },
    act: (heart, ask) => asked(ask, ['profile-updated p1'], () => heart.host.profiles.update('p1', EDIT, BY)),
    ...{ state: profileIn, from: 'old', to: 'new' },
  },
  {
    name: 'device change',
    prepare: running,
    act: (heart, ask) => asked(ask, ofC1('instance-updated'), () => change(NEW)(heart)),
    ...{ state: devicesIn, from: 'eth0,kept,old', to: 'kept,lan,mnt' },
  },
  {
    name: 'change of the limits of an interface',
    prepare: running,
    act: (heart, ask) =>
      asked(ask, ofC1('instance-updated'), () =>
        change({ ...OLD, eth0: nic({ 'limits.max': '1Mbit' }), old: disk('/old', { readonly: 'true' }) })(
          heart,
        ),
      ),
    state: (rows) =>
      rows.instances.find(({ name }) => name === 'c1')?.devices['eth0']?.['limits.max'] ?? 'none',
    ...{ from: 'none', to: '1Mbit' },
  },
  {
    name: 'switch of the guest API',
    prepare: running,
    async act(heart, ask) {
      for (const value of ['false', 'true'])
        await asked(ask, ofC1('instance-updated'), () =>
          heart.host.instances.patch('c1', { config: { 'security.devlxd': value } }, BY),
        );
    },
    state: (rows) => rows.instances.find(({ name }) => name === 'c1')?.config['security.devlxd'] ?? 'unset',
    ...{ from: 'unset', to: 'true', between: ['false'], refused: ['false'] },
  },
];

/** What instances do themselves. */
const INSIDE: readonly Scenario[] = [
  {
    name: 'shutdown from inside',
    prepare: running,
    act: (heart) => ends(heart, 'stop', 'STOPPED'),
    ...{ state: power, from: 'RUNNING', to: 'STOPPED', refused: ['STOPPED'] },
  },
  {
    name: 'reboot from inside',
    prepare: running,
    act: (heart) => ends(heart, 'reboot', 'RUNNING'),
    ...{ state: power, from: 'RUNNING', to: 'RUNNING', refused: ['STOPPED'] },
  },
  {
    name: 'write of a guest',
    prepare: (heart) => running(heart, { config: { 'security.devlxd.guest_config': 'true' } }),
    async act(heart) {
      await heart.guest.writeKey(heart.get('c1').id, 'guest.a', 'x');
    },
    state: (rows) => rows.instances.find(({ name }) => name === 'c1')?.config['guest.a'] ?? 'unset',
    ...{ from: 'unset', to: 'x' },
  },
];

/** Ends a run from inside, and waits until the daemon has stored that. @throws when it has not */
async function ends(heart: Heart, ending: 'stop' | 'reboot', to: string): Promise<void> {
  heart.run('c1').end(ending);
  await heart.quiet();
  if (heart.power('c1') !== to) throw new Error('the end is not stored');
}

const adopt = (heart: Heart) =>
  create(heart, 'c1', { source: { type: 'adopt', pid: heart.machine.startForeign() } });

/** Processes of other runtimes. */
const ADOPTION: readonly Scenario[] = [
  {
    name: 'adoption',
    prepare: neighbour,
    act: (heart, ask) => asked(ask, ofC1('instance-created', 'instance-started'), () => adopt(heart)),
    ...{ state: power, from: 'none', to: 'RUNNING' },
  },
  {
    name: 'end of an adopted instance',
    async prepare(heart) {
      await neighbour(heart);
      await adopt(heart);
    },
    async act(heart) {
      for (const process of heart.machine.foreign.values()) process.end();
      await heart.quiet();
      if (heart.power('c1') !== 'STOPPED') throw new Error('the end is not stored');
    },
    ...{ state: power, from: 'RUNNING', to: 'STOPPED', refused: ['STOPPED'] },
  },
];

/** All work of a daemon that serves. */
export const WORK: readonly Scenario[] = [...INSTANCES, ...IMAGES, ...CHANGES, ...INSIDE, ...ADOPTION];
