import { beforeEach, describe, expect, it } from 'vitest';
import { type Container, withContainer } from '../core/container.ts';
import type { ExecRequest } from '../runtimes/contract/exec.ts';
import type { NewInstance } from './requests.ts';
import { disk, nic } from './testing/devices.ts';
import { BY, Heart } from './testing/heart.ts';
import { telling } from './testing/test-store.ts';

let heart: Heart;
let pid: number;
beforeEach(async () => {
  heart = await Heart.begin();
  pid = heart.machine.startForeign();
});

const input = (part: Partial<NewInstance> = {}): NewInstance => ({
  name: 'a1',
  description: '',
  architecture: '',
  ephemeral: false,
  profiles: [],
  config: {},
  devices: {},
  source: { type: 'adopt', pid },
  ...part,
});
const adopt = async (part: Partial<NewInstance> = {}) =>
  heart.done(heart.host.instances.create(input(part), BY));

/** Ends the process that is the init of an adopted instance. */
async function end(of = pid): Promise<void> {
  heart.machine.foreign.get(of)?.end();
  await heart.quiet();
}

const CONTAINER = {
  id: 'ab'.repeat(32),
  name: 'web',
  image: '',
  digest: '',
  labels: {},
  owner: '',
  record: '',
};

const EXEC: ExecRequest = {
  ...{ command: ['ls'], environment: {}, interactive: false, user: 0, group: 0, cwd: '' },
  ...{ width: 0, height: 0, waitForWebsocket: false },
};

describe('An adopted instance', () => {
  it('keeps the root that it has, whatever size its profiles give to roots', async () => {
    const root = { type: 'disk', path: '/', pool: 'default' };
    const sized = (size: string) => ({ root: { ...root, size } });
    heart.addProfile('sized', { devices: sized('1GiB') });
    await adopt({ profiles: ['sized'] });
    const devices = () => heart.model.expanded(heart.get('a1')).devices;
    expect(devices()).toEqual({ root });
    for (const size of ['2GiB', '64MiB'])
      await heart.host.profiles.update('sized', { description: '', config: {}, devices: sized(size) }, BY);
    expect(devices()).toEqual({ root });
    await expect(adopt({ name: 'a2', devices: sized('1GiB') })).rejects.toThrow(
      'The size of "root" of an adopted instance is for its own runtime to set',
    );
  });

  it('runs from its creation on, in one commit', async () => {
    await adopt();
    const { id, config } = heart.get('a1');
    expect(heart.status('a1')).toBe('Running');
    expect(heart.identity.known.has(id)).toBe(true);
    expect(config['volatile.adopted']).toMatch(`${pid}:`);
    expect(heart.told).toEqual(['instance-created a1', 'instance-started a1']);
    expect(heart.machine.folders.size).toBe(0);
  });

  it('is stopped when its process ends', async () => {
    await adopt();
    await end();
    expect(heart.status('a1')).toBe('Stopped');
    expect(heart.told.at(-1)).toBe('instance-shutdown a1');
  });

  it('is deleted if it is ephemeral and its process ends', async () => {
    await adopt({ ephemeral: true });
    await end();
    expect(heart.model.hasInstance('a1')).toBe(false);
  });

  it('starts again with another process, and keeps its config', async () => {
    await adopt({ config: { 'user.a': '1' } });
    await end();
    const another = heart.machine.startForeign();
    await heart.setState('a1', 'start', { pid: another });
    expect(heart.status('a1')).toBe('Running');
    expect(heart.get('a1').config).toMatchObject({ 'user.a': '1' });
    expect(heart.get('a1').config['volatile.adopted']).toMatch(`${another}:`);
  });

  it('is recognised by the next daemon while its process lives', async () => {
    await adopt();
    const next = await heart.crash();
    await next.settle();
    expect(next.status('a1')).toBe('Running');
    expect(next.told).toEqual([]);
  });

  it('is stored as stopped by the next daemon if its process has ended', async () => {
    await adopt();
    heart.life.end();
    await end();
    const next = await heart.crash();
    await next.settle();
    expect(next.power('a1')).toBe('STOPPED');
    expect(next.told).toEqual(['instance-shutdown a1']);
  });

  it('is forgotten when it is deleted, and its process goes on', async () => {
    await adopt();
    const { id } = heart.get('a1');
    heart.connections.open.set(id, 1);
    await heart.done(heart.host.instances.delete('a1', BY));
    expect(heart.identity.known.has(id)).toBe(false);
    expect(heart.connections.open.has(id)).toBe(false);
    expect(heart.machine.foreign.get(pid)?.isAlive).toBe(true);
    await end();
    expect(heart.told.at(-1)).toBe('instance-deleted a1');
  });

  it('accepts new devices that describe existing ones', async () => {
    await adopt();
    const eth0 = nic({ hwaddr: '00:16:3e:00:00:09' });
    await heart.host.instances.patch('a1', { devices: { eth0 } }, BY);
    expect(heart.get('a1').devices).toEqual({ eth0 });
  });
});

describe('An adopted instance refuses', () => {
  beforeEach(() => adopt());

  it.each(['stop', 'restart', 'freeze'] as const)('%s', async (action) => {
    await expect(heart.setState('a1', action)).rejects.toThrow('run by another runtime');
    expect(heart.status('a1')).toBe('Running');
    expect(heart.power('a1')).toBe('RUNNING');
  });

  it('a forced stop', async () => {
    await expect(heart.setState('a1', 'stop', { force: true, timeout: 0 })).rejects.toThrow(
      'another runtime',
    );
  });

  it.each([
    ['limits.cpu', '1'],
    ['security.privileged', 'true'],
  ])('%s', async (key, value) => {
    const patched = heart.host.instances.patch('a1', { config: { [key]: value } }, BY);
    await expect(patched).rejects.toThrow('can be set only by its own runtime');
  });

  it.each([
    ['a disk', disk('/mnt')],
    ['a nic without its address', nic()],
    ['a nic with limits', nic({ hwaddr: '00:16:3e:00:00:09', 'limits.max': '1Mbit' })],
  ])('%s', async (_what, device) => {
    await expect(heart.host.instances.patch('a1', { devices: { x: device } }, BY)).rejects.toThrow();
    expect(heart.get('a1').devices).toEqual({});
  });
});

describe('An adopted instance whose container is known', () => {
  beforeEach(async () => {
    await adopt();
    know('docker');
  });

  /** Notes which container it is, as the hook of a runtime does. */
  function know(runtime: Container['runtime']): void {
    const instance = heart.get('a1');
    const config = withContainer(instance.config, { ...CONTAINER, runtime });
    heart.model.commit([{ kind: 'put-instance', instance: { ...instance, config } }]);
  }

  it.each([
    ['stop', {}, 'stop it with `docker stop web`'],
    ['stop', { force: true }, 'end it with `docker kill web`'],
    ['stop', { timeout: 0 }, 'end it with `docker kill web`'],
    ['restart', {}, 'restart it with `docker restart web`'],
    ['restart', { force: true }, 'restart it with `docker restart web`'],
    ['freeze', {}, 'freeze it with `docker pause web`'],
    ['unfreeze', {}, 'continue it with `docker unpause web`'],
  ] as const)('says which command does it: %s %j', async (action, part, sentence) => {
    await expect(heart.setState('a1', action, part)).rejects.toThrow(sentence);
    expect(heart.power('a1')).toBe('RUNNING');
  });

  it('says which command runs a program, attaches to its console and copies files', async () => {
    expect(() => heart.host.instances.exec('a1', EXEC, BY)).toThrow('with `docker exec web COMMAND`');
    expect(() => heart.host.instances.console('a1', { width: 0, height: 0 })).toThrow('`docker attach web`');
    await expect(heart.host.files.stat('a1', '/a')).rejects.toThrow('`docker cp web:PATH PATH`');
  });

  it('says which command starts it, and speaks of the container that it is now', async () => {
    await end();
    know('podman');
    await expect(heart.setState('a1', 'start')).rejects.toThrow('start it with `podman start web`');
  });
});

describe('An adoption that fails leaves nothing, if the cause is', () => {
  it.each([
    ['no such process', { source: { type: 'adopt', pid: 99_999 } }, 'There is no process 99999'],
    ['a disk', { devices: { mnt: disk('/mnt') } }, 'mounted only by its own runtime'],
    ['a limit', { config: { 'limits.cpu': '1' } }, 'set only by its own runtime'],
  ] as const)('%s', async (_what, part, message) => {
    await expect(adopt(part)).rejects.toThrow(message);
    expect(heart.model.hasInstance('a1')).toBe(false);
    expect(heart.identity.known.size).toBe(0);
  });

  it('a process that cannot be identified, which goes on', async () => {
    heart.identity.trouble = new Error('no namespace');
    await expect(adopt()).rejects.toThrow('The instance cannot be identified: no namespace');
    expect(heart.machine.foreign.get(pid)?.isAlive).toBe(true);
    expect(heart.model.hasInstance('a1')).toBe(false);
  });

  it('a full disk', async () => {
    const again = heart.store.refuse(telling('instance-started'));
    await expect(adopt()).rejects.toThrow('full');
    expect(heart.identity.known.size).toBe(0);
    expect(heart.parts.running.size).toBe(0);
    again();
    await adopt();
    expect(heart.status('a1')).toBe('Running');
  });
});

describe('A start with a process of another runtime is refused', () => {
  it('while the instance runs', async () => {
    await adopt();
    await expect(heart.setState('a1', 'start', { pid })).rejects.toThrow('already running');
  });

  it('for an instance that is not adopted', async () => {
    heart.add('c1');
    await expect(heart.setState('c1', 'start', { pid })).rejects.toThrow('Only an adopted instance');
  });
});
