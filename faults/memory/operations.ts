import { mock } from 'node:test';
import type { Random } from '../../fuzz/random.ts';
import { disk, nic } from '../../packages/host/src/instances/testing/devices.ts';
import { BY, type Heart } from '../../packages/host/src/instances/testing/heart.ts';
import { type Ask, asked, create, importImage } from './scenario.ts';

/** Something that an operator, an instance or another runtime does in a random walk. */
interface Operation {
  readonly name: string;
  readonly act: (heart: Heart, random: Random, ask: Ask) => Promise<unknown>;
}

const NAMES = ['i1', 'i2', 'i3', 'i4'];
const ADOPTED = ['a1', 'a2'];
const PROFILES = ['p1', 'p2'];
const BYTES = ['one image', 'another image'];
const ONE_MINUTE_MS = 60_000;
const WRITE_PAUSE_MS = 1_000;

const DEVICES = {
  data: [null, disk('/data'), disk('/data', { readonly: 'true' }), disk('/elsewhere')],
  more: [null, disk('/more')],
  eth0: [null, nic(), nic({ 'limits.max': '1Mbit' }), nic({ mtu: '1400' })],
};

function devices(random: Random): Record<string, Record<string, string>> {
  const chosen = Object.entries(DEVICES).map(([name, choices]) => [name, random.pick(choices)] as const);
  return Object.fromEntries(chosen.filter(([, device]) => device !== null)) as never;
}

const settings = (random: Random) => ({
  'user.n': String(random.below(1000)),
  'limits.memory': random.pick(['64MiB', '128MiB']),
  'security.devlxd': random.pick(['true', 'true', 'false']),
});

/** Mostly an instance with one of these statuses. Sometimes another one, because a refusal must change nothing. */
function target(heart: Heart, random: Random, statuses: readonly string[]): string {
  const statusOf = (name: string) => (heart.model.hasInstance(name) ? heart.status(name) : 'none');
  const fitting = NAMES.filter((name) => statuses.includes(statusOf(name)));
  return random.pick(fitting.length > 0 && random.percent(90) ? fitting : NAMES);
}

const UP = ['Running', 'Ready'];
const THERE = [...UP, 'Frozen', 'Stopped'];

const setState = (
  action: 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze',
  told: string,
  [of, force = false]: readonly [statuses: readonly string[], force?: boolean],
) => ({
  name: force ? `forced ${action}` : action,
  async act(heart: Heart, random: Random, ask: Ask) {
    const name = target(heart, random, of);
    await asked(ask, [`${told} ${name}`], () => heart.setState(name, action, { force }));
  },
});

const change = (
  name: string,
  tells: string | null,
  of: readonly string[],
  work: (heart: Heart, name: string, random: Random) => unknown,
) => ({
  name,
  async act(heart: Heart, random: Random, ask: Ask) {
    const chosen = target(heart, random, of);
    await asked(ask, tells === null ? [] : [`${tells} ${chosen}`], () => work(heart, chosen, random));
  },
});

/** Ends a run from inside, after a while: reboots in quick succession would wait. */
const end = (how: 'stop' | 'reboot'): Operation => ({
  name: how === 'stop' ? 'shutdown from inside' : 'reboot from inside',
  async act(heart, random) {
    heart.world.clock.pass(ONE_MINUTE_MS);
    heart.run(target(heart, random, UP)).end(how);
    await heart.quiet();
  },
});

/** All that a random walk does. */
export const OPERATIONS: readonly Operation[] = [
  change('create', 'instance-created', ['none'], (heart, name, random) =>
    create(heart, name, {
      ephemeral: random.percent(20),
      profiles: ['default', ...PROFILES.filter(() => random.percent(50))],
      config: { ...settings(random), 'security.devlxd.guest_config': 'true' },
      devices: devices(random),
    }),
  ),
  setState('start', 'instance-started', [['Stopped']]),
  setState('stop', 'instance-shutdown', [UP]),
  setState('stop', 'instance-stopped', [[...UP, 'Frozen'], true]),
  setState('restart', 'instance-restarted', [UP]),
  setState('freeze', 'instance-paused', [UP]),
  setState('unfreeze', 'instance-resumed', [['Frozen']]),
  change('delete', 'instance-deleted', ['Stopped'], (heart, name) =>
    heart.done(heart.host.instances.delete(name, BY)),
  ),
  change('change of devices', 'instance-updated', THERE, (heart, name, random) =>
    heart.done(
      heart.host.instances.update(name, { ...heart.get(name), devices: devices(random) } as never, BY),
    ),
  ),
  change('change of keys', 'instance-updated', THERE, (heart, name, random) =>
    heart.host.instances.patch(name, { config: settings(random) }, BY),
  ),
  change('write of a guest', null, THERE, async (heart, name, random) => {
    const written = heart.guest.writeKey(heart.get(name).id, 'guest.n', String(random.below(1000)));
    // Writes in quick succession wait for each other.
    mock.timers.tick(WRITE_PAUSE_MS);
    await written;
  }),
  {
    name: 'profile edit',
    async act(heart, random, ask) {
      const name = random.pick(PROFILES);
      const fields = { description: '', config: settings(random), devices: devices(random) };
      await asked(ask, [`profile-updated ${name}`], () => heart.host.profiles.update(name, fields, BY));
    },
  },
  { name: 'import', act: (heart, random) => importImage(heart, random.pick(BYTES)) },
  {
    name: 'delete of an image',
    async act(heart, random) {
      const { image } = random.pick(heart.host.images.list());
      await heart.done(heart.host.images.delete(image.fingerprint, BY));
    },
  },
  {
    name: 'adoption',
    act: (heart, random) =>
      create(heart, random.pick(ADOPTED), {
        source: { type: 'adopt', pid: heart.machine.startForeign() },
        devices: {},
      }),
  },
  {
    name: 'end of an adopted instance',
    async act(heart, random) {
      random.pick([...heart.machine.foreign.values()]).end();
      await heart.quiet();
    },
  },
  {
    name: 'delete of an adopted instance',
    act: (heart, random) => heart.done(heart.host.instances.delete(random.pick(ADOPTED), BY)),
  },
  end('stop'),
  end('reboot'),
];

/** Makes the instances, profiles and images with which a random walk begins. */
export async function prepareWalk(heart: Heart): Promise<void> {
  heart.addImage();
  for (const name of PROFILES) heart.addProfile(name);
  for (const name of ['o1', ...NAMES.slice(0, 2)]) {
    await create(heart, name, { profiles: ['default', ...PROFILES] });
    await heart.setState(name, 'start');
  }
}
