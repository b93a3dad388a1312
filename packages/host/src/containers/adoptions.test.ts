import { beforeEach, describe, expect, it } from 'vitest';
import type { Container } from '../core/container.ts';
import { BY, Heart } from '../instances/testing/heart.ts';
import { ownTimers, pass } from '../instances/testing/time.ts';
import { Adoptions } from './adoptions.ts';
import type { HookRequest, MachineRequest } from './hook-request.ts';
import { Looks } from './looks/looks.ts';
import { describeOfUser } from './records/describe-user.ts';

ownTimers();

const BOOT = '11111111-2222-4333-8444-555555555555';
const LATER = 10n ** 15n;

let heart: Heart;
let words: Record<string, string>;
let container: Container;
beforeEach(async () => {
  heart = await Heart.begin();
  words = {};
  container = {
    ...{ runtime: 'podman', id: 'id-1', name: 'web', image: 'busybox', digest: 'sha256:1', labels: {} },
    owner: '',
    record: '',
  };
});

const adoptionsOf = (of: Heart) =>
  new Adoptions(of.parts, {
    create: (input) => of.host.instances.create(input, BY),
    describe: async () => ({ container, words }),
    describeOfUser: (subject, uid) => describeOfUser(subject, uid, new Looks().asRoot),
  });
const requestOf = (pid: number, part: Partial<HookRequest> = {}): HookRequest => ({
  ...{ moment: 'start', ticks: LATER, bootId: BOOT },
  subject: { of: 'oci', id: container.id, pid, bundle: '/b', annotations: {} },
  ...part,
});
/** Starts the container. @returns the pid of its first process */
async function start(): Promise<number> {
  const pid = heart.machine.startForeign();
  await adoptionsOf(heart).begin(requestOf(pid));
  return pid;
}
async function end(pid: number): Promise<void> {
  heart.machine.foreign.get(pid)?.end();
  await heart.quiet();
}

async function setConfig(config: Record<string, string>): Promise<void> {
  await heart.host.instances.patch('web', { config }, BY);
}

describe('A container in a request of a hook', () => {
  it('is an instance with the config of its operator, before the hook gets its answer', async () => {
    words = { 'config.user.role': 'front' };
    await start();
    const { id, config, profiles } = heart.get('web');
    expect(heart.status('web')).toBe('Running');
    expect(heart.identity.known.has(id)).toBe(true);
    expect(profiles).toEqual(['default']);
    expect(config).toMatchObject({
      'user.role': 'front',
      'volatile.container.runtime': 'podman',
      'volatile.container.image': 'busybox',
    });
  });

  it('is the same instance after a restart, with its newest config', async () => {
    words = { 'config.user.role': 'front' };
    const first = await start();
    const { id } = heart.get('web');
    await end(first);
    expect(heart.status('web')).toBe('Stopped');
    await setConfig({ 'user.role': 'changed' });
    await start();
    expect(heart.get('web')).toMatchObject({ id, config: { 'user.role': 'changed' } });
  });

  it('has the newest words of its operator when it replaces an earlier container', async () => {
    words = { 'config.user.role': 'front' };
    await end(await start());
    await setConfig({ 'user.role': 'changed', 'user.kept': '1' });
    container = { ...container, id: 'id-2' };
    words = { 'config.user.other': 'newest' };
    await start();
    expect(heart.get('web').config).toMatchObject({ 'user.other': 'newest', 'user.kept': '1' });
    expect(heart.get('web').config).not.toHaveProperty('user.role');
    expect(heart.get('web').config['volatile.container.id']).toBe('id-2');
  });

  it('continues the instance of its name that an operator has adopted by hand', async () => {
    const pid = heart.machine.startForeign();
    const source = { type: 'adopt', pid } as const;
    const fields = {
      name: 'web',
      description: '',
      architecture: '',
      ephemeral: false,
      profiles: [],
      devices: {},
    };
    await heart.done(heart.host.instances.create({ ...fields, config: { 'user.a': '1' }, source }, BY));
    await end(pid);
    await end(await start());
    expect(heart.get('web').config).toMatchObject({ 'user.a': '1', 'volatile.container.id': 'id-1' });
    await heart.setState('web', 'start', { pid: heart.machine.startForeign() });
    expect(heart.get('web').config['volatile.container.id']).toBe('id-1');
  });

  it('is adopted once: a second request changes nothing', async () => {
    const pid = await start();
    await adoptionsOf(heart).begin(requestOf(pid));
    expect(heart.told.filter((each) => each.startsWith('instance-started'))).toHaveLength(1);
  });

  it('is adopted once, also if the request goes to the next daemon because the first died before its answer', async () => {
    const pid = await start();
    const next = await heart.crash();
    await adoptionsOf(next).begin(requestOf(pid));
    expect(next.status('web')).toBe('Running');
  });

  it('waits until the end of its last run is stored', async () => {
    const first = await start();
    const second = start();
    await heart.quiet();
    expect(heart.told.at(-1)).toBe('instance-started web');
    await end(first);
    await second;
    expect(heart.status('web')).toBe('Running');
    expect(heart.told.slice(-2)).toEqual(['instance-shutdown web', 'instance-started web']);
  });
});

describe('Nothing changes, and the hook gets the reason,', () => {
  it('if the process has ended', async () => {
    const pid = heart.machine.startForeign();
    await end(pid);
    await expect(adoptionsOf(heart).begin(requestOf(pid))).rejects.toThrow(`There is no process ${pid}`);
  });

  it.each([
    ['began after the request, so it only has the same pid', { ticks: 0n }],
    ['belongs to another boot of the host', { bootId: 'other' }],
  ])('if the process %s', async (_what, part) => {
    const pid = heart.machine.startForeign();
    await expect(adoptionsOf(heart).begin(requestOf(pid, part))).rejects.toThrow('the container has ended');
    expect(heart.model.hasInstance('web')).toBe(false);
  });

  it('if the process ends while its records are read', async () => {
    const pid = heart.machine.startForeign();
    const adoptions = new Adoptions(heart.parts, {
      create: (input) => heart.host.instances.create(input, BY),
      describe: async () => {
        await end(pid);
        return { container, words };
      },
      describeOfUser: (subject, uid) => describeOfUser(subject, uid, new Looks().asRoot),
    });
    await expect(adoptions.begin(requestOf(pid))).rejects.toThrow('the container has ended');
    expect(heart.model.hasInstance('web')).toBe(false);
  });

  it('if the container already runs with another first process', async () => {
    await start();
    const refused = expect(start()).rejects.toThrow('already running');
    await pass(heart, 5_000);
    await refused;
  });

  it('if another container runs under the name', async () => {
    await start();
    container = { ...container, id: 'id-2', name: 'other' };
    words = { name: 'web' };
    await expect(start()).rejects.toThrow('belongs to container web of podman');
    expect(heart.get('web').config['volatile.container.id']).toBe('id-1');
  });

  it.each([
    ['a key that only its runtime can apply', { 'config.limits.memory': '1MiB' }, 'limits.memory'],
    ['a key that only the daemon sets', { 'config.volatile.uuid': 'x' }, 'volatile.uuid'],
    ['a word that is neither true nor false', { ephemeral: 'yes' }, 'must be true or false'],
    ['a profile that does not exist', { profiles: 'nosuch' }, 'nosuch'],
    ['a name that no instance can have', { name: '../x' }, 'Invalid instance name'],
  ])('for %s', async (_what, said, why) => {
    words = said;
    await expect(start()).rejects.toThrow(why);
    expect(heart.model.state.instances.size).toBe(0);
  });

  it('if a container that replaces an earlier one has words that are not valid', async () => {
    await end(await start());
    container = { ...container, id: 'id-2' };
    words = { 'config.limits.memory': '1MiB' };
    await expect(start()).rejects.toThrow('limits.memory');
    expect(heart.status('web')).toBe('Stopped');
    expect(heart.get('web').config['volatile.container.id']).toBe('id-1');
  });
});

describe('A machine', () => {
  const machineOf = (pid: number, part: Partial<MachineRequest> = {}): MachineRequest => ({
    subject: { of: 'nspawn', id: 'web', pid, settings: '/web.nspawn' },
    ...{ ticks: LATER, profiles: null, ...part },
  });
  beforeEach(() => {
    container = { ...container, runtime: 'nspawn', id: 'web', name: 'web', record: '/web.nspawn' };
  });

  it('is an instance, and the same one at its next start', async () => {
    words = { 'config.user.role': 'front' };
    const first = heart.machine.startForeign();
    await adoptionsOf(heart).beginMachine(machineOf(first));
    await adoptionsOf(heart).beginMachine(machineOf(first));
    const { id } = heart.get('web');
    await end(first);
    await adoptionsOf(heart).beginMachine(machineOf(heart.machine.startForeign()));
    expect([heart.get('web').id, heart.status('web')]).toEqual([id, 'Running']);
    expect(heart.get('web').config).toMatchObject({ 'user.role': 'front' });
  });

  it('is not adopted if another process has its pid now', async () => {
    const pid = heart.machine.startForeign();
    await expect(adoptionsOf(heart).beginMachine(machineOf(pid, { ticks: 0n }))).rejects.toThrow(
      'the machine has ended',
    );
    expect(heart.model.hasInstance('web')).toBe(false);
  });

  describe('that profiles ask for', () => {
    const hasGuestApi = (pid: number) => heart.machine.foreign.get(pid)?.hasGuestApi;
    const adoptFor = async (profiles: string[], pid = heart.machine.startForeign()) => {
      await adoptionsOf(heart).beginMachine(machineOf(pid, { profiles }));
      return pid;
    };
    const withProfile = (name: string, config: Record<string, string>) =>
      heart.host.profiles.create({ name, description: '', config, devices: {} }, BY);
    beforeEach(async () => {
      container = { ...container, record: '' };
      await withProfile('b', { 'user.role': 'b', 'adopt.machines': 'w*' });
      await withProfile('c', { 'user.role': 'c', 'adopt.machines': 'web' });
    });

    it('gets the guest API, and has these profiles and no others, the last one first', async () => {
      const pid = await adoptFor(['b', 'c']);
      expect(hasGuestApi(pid)).toBe(true);
      expect(heart.get('web').profiles).toEqual(['b', 'c']);
      expect(heart.model.expanded(heart.get('web')).config).toMatchObject({ 'user.role': 'c' });
    });

    it('has the profiles that its own words name', async () => {
      words = { profiles: 'default' };
      await adoptFor(['b']);
      expect(heart.get('web').profiles).toEqual(['default']);
    });

    it('keeps the profiles that it has when it starts again', async () => {
      await end(await adoptFor(['b', 'c']));
      const pid = await adoptFor(['c']);
      expect(hasGuestApi(pid)).toBe(true);
      expect(heart.get('web').profiles).toEqual(['b', 'c']);
    });

    it('is found again by the next daemon, with its mount', async () => {
      const pid = await adoptFor(['b']);
      const next = await heart.crash();
      await adoptionsOf(next).beginMachine(machineOf(pid, { profiles: ['b'] }));
      expect([next.status('web'), hasGuestApi(pid)]).toEqual(['Running', true]);
    });

    it('has no guest API if its name belongs to another instance', async () => {
      container = { ...container, runtime: 'podman' };
      await end(await start());
      container = { ...container, runtime: 'nspawn', id: 'web' };
      const pid = heart.machine.startForeign();
      await expect(adoptFor(['b'], pid)).rejects.toThrow('the name "web" belongs to container web of podman');
      expect(hasGuestApi(pid)).toBe(false);
    });

    it.each([
      ['the guest API cannot be mounted', { refusesMounts: true }, 'something else is mounted'],
      ['it is of another user', { owner: 1000 }, 'does not belong to root'],
    ])('is no instance if %s', async (_what, part, why) => {
      const pid = heart.machine.startForeign();
      Object.assign(heart.machine.foreign.get(pid) as object, part);
      await expect(adoptFor(['b'], pid)).rejects.toThrow(why);
      expect([heart.model.hasInstance('web'), hasGuestApi(pid)]).toEqual([false, false]);
    });
  });
});

describe('Records that do not answer', () => {
  it('delay their own container, for five seconds', async () => {
    const adoptions = new Adoptions(heart.parts, {
      create: () => null as never,
      describe: () => new Promise(() => {}),
      describeOfUser: () => new Promise(() => {}),
    });
    const begun = adoptions.begin(requestOf(heart.machine.startForeign()));
    const refused = expect(begun).rejects.toThrow('does not answer');
    await pass(heart, 5_000);
    await refused;
  });
});

describe('The end of a container', () => {
  it('is stored before its hook gets the answer', async () => {
    const pid = await start();
    heart.machine.foreign.get(pid)?.end();
    await adoptionsOf(heart).end(requestOf(0, { moment: 'end' }));
    expect(heart.status('web')).toBe('Stopped');
  });

  it('is answered at once if the container is not an instance', async () => {
    await adoptionsOf(heart).end(requestOf(0, { moment: 'end' }));
  });
});

describe('A container of a user of the host', () => {
  const UID = 1000;
  const requestOfUser = (pid: number, name: string, more: Record<string, string> = {}): HookRequest => ({
    ...{ moment: 'start', ticks: LATER, bootId: BOOT },
    subject: {
      ...{ of: 'oci', id: `id-${name}`, pid, bundle: '/b' },
      annotations: { 'dev.porthole.name': name, ...more },
    },
  });
  const startOfUser = (name: string, owner = UID, more = {}) =>
    adoptionsOf(heart).beginOfUser(requestOfUser(heart.machine.startForeign(owner), name, more), UID);

  it('has a name that begins with the uid, and no profile', async () => {
    await startOfUser('web', UID, { 'dev.porthole.profiles': 'default', 'dev.porthole.config.user.a': '1' });
    expect(heart.get('u1000-web')).toMatchObject({ profiles: [], config: { 'user.a': '1' } });
  });

  it('is not adopted if another user has made its user namespace', async () => {
    await expect(startOfUser('web', 0)).rejects.toThrow('does not belong to the user who asks');
    await expect(startOfUser('web', 1001)).rejects.toThrow('does not belong to the user who asks');
    expect(heart.model.state.instances.size).toBe(0);
  });

  it.each(['security.devlxd.images', 'security.protection.delete', 'guest.a', 'boot.autostart'])(
    'cannot set %s',
    async (key) => {
      await expect(startOfUser('web', UID, { [`dev.porthole.config.${key}`]: 'true' })).rejects.toThrow(
        `only root may set "${key}"`,
      );
    },
  );

  it('cannot continue an instance of root, not even under a name with the prefix or with its id', async () => {
    container = { ...container, id: 'id-web' };
    words = { name: 'u1000-web' };
    await end(await start());
    await expect(startOfUser('web')).rejects.toThrow('belongs to container web of podman');
    expect(heart.status('u1000-web')).toBe('Stopped');
  });

  it('cannot set more than 32 keys', async () => {
    const many = Array.from({ length: 33 }, (_, number) => [`dev.porthole.config.user.k${number}`, '1']);
    await expect(startOfUser('web', UID, Object.fromEntries(many))).rejects.toThrow(
      'may set at most 32 keys',
    );
  });

  it('has at most 64 instances', async () => {
    for (let number = 0; number < 64; number++) {
      heart.world.clock.pass(60_000);
      await startOfUser(`n${number}`);
    }
    heart.world.clock.pass(60_000);
    await expect(startOfUser('more')).rejects.toThrow('a user may have 64 instances');
  });
});
