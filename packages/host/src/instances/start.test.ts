import { beforeEach, describe, expect, it } from 'vitest';
import { disk, nic } from './testing/devices.ts';
import { BY, Heart } from './testing/heart.ts';
import { telling } from './testing/test-store.ts';

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
});

describe('A start', () => {
  it('makes the instance run, known to the guest API and to the store', async () => {
    const { id } = await heart.addRunning('c1');
    expect(heart.runs('c1')).toBe(true);
    expect(heart.status('c1')).toBe('Running');
    expect(heart.identity.known.has(id)).toBe(true);
    expect(heart.store.load().instances.get(id)?.config).toMatchObject({
      'volatile.last_state.power': 'RUNNING',
    });
    expect(heart.get('c1').lastStartedAt).toBe('2026-01-01T00:00:00.000Z');
    expect(heart.told).toEqual(['instance-started c1']);
  });

  it('names the operator in its event', async () => {
    await heart.addRunning('c1');
    const [event] = heart.events.filter(({ type }) => type === 'lifecycle');
    expect(event?.metadata).toMatchObject({ requestor: { username: 'root' } });
  });

  it('gives the run the expanded devices, each nic with its name and address', async () => {
    heart.addProfile('web', { devices: { srv: disk('/srv') } });
    const config = { 'volatile.eth0.hwaddr': '00:16:3e:00:00:07', 'volatile.eth0.name': 'eth5' };
    const devices = { eth0: nic(), lan: nic({ name: 'lan0', hwaddr: '00:16:3e:00:00:08' }) };
    await heart.addRunning('c1', { profiles: ['default', 'web'], config, devices });
    expect(Object.fromEntries(heart.run('c1').devices)).toMatchObject({
      root: { path: '/' },
      srv: { path: '/srv' },
      eth0: { name: 'eth5', hwaddr: '00:16:3e:00:00:07' },
      lan: { name: 'lan0', hwaddr: '00:16:3e:00:00:08' },
    });
  });

  it('stores the names of its interfaces on the host', async () => {
    const { config } = await heart.addRunning('c1', { devices: { eth0: nic() } });
    expect(config['volatile.eth0.host_name']).toBe(heart.machine.interfaces[0]);
  });

  it.each([
    [{}, 1],
    [{ 'security.devlxd': 'true' }, 1],
    [{ 'security.devlxd': 'false' }, 0],
  ])('makes the guest API mount as configured: %o', async (config, windows) => {
    await heart.addRunning('c1', { config });
    expect(heart.run('c1').guestApiMounts).toBe(windows);
  });

  it('reports that unregistered callers are possible until the last of several starts is over', async () => {
    for (const name of ['c1', 'c2']) heart.add(name);
    const held = heart.machine.faults.hold('start', { subject: '1' });
    const first = heart.setState('c1', 'start');
    await held.reached;
    await heart.setState('c2', 'start');
    expect(heart.starting).toEqual([true]);
    held.open();
    await first;
    expect(heart.starting).toEqual([true, false]);
  });

  it('gives the instance the status Starting while it goes on', async () => {
    heart.add('c1');
    const held = heart.machine.faults.hold('start');
    const started = heart.setState('c1', 'start');
    await held.reached;
    expect(heart.status('c1')).toBe('Starting');
    held.open();
    await started;
    expect(heart.status('c1')).toBe('Running');
  });
});

describe('The root of an instance', () => {
  const config = { 'volatile.base_image': 'f'.repeat(64) };

  it('is unpacked at the first start, with progress, and shared by the second', async () => {
    heart.addImage();
    heart.add('c1', { config });
    const { metadata } = await heart.setState('c1', 'start');
    expect(metadata).toEqual({ start_instance_unpack_progress: 'Unpack: 100%' });
    heart.machine.faults.refuse('unpack');
    await heart.addRunning('c2', { config });
    expect(heart.run('c2').spec.lower).toBe(heart.run('c1').spec.lower);
  });

  it('is a separate one for a privileged instance, which has the host’s ids', async () => {
    heart.addImage();
    await heart.addRunning('c1', { config });
    await heart.addRunning('c2', { config: { ...config, 'security.privileged': 'true' } });
    expect([...heart.machine.roots]).toEqual([`${'f'.repeat(64)}-100000`, `${'f'.repeat(64)}-0`]);
  });

  it('cannot be made if its image is gone', async () => {
    heart.add('c1', { config });
    await expect(heart.setState('c1', 'start')).rejects.toThrow('Image not found');
    expect(heart.status('c1')).toBe('Stopped');
  });
});

describe('A start that fails', () => {
  it.each(['unpack', 'create', 'start'])(
    'in its step %s leaves the instance stopped, and the next one works',
    async (verb) => {
      heart.addImage();
      heart.add('c1', { config: { 'volatile.base_image': 'f'.repeat(64) } });
      const again = heart.machine.faults.refuse(verb, new Error('no luck'));
      await expect(heart.setState('c1', 'start')).rejects.toThrow('no luck');
      expect(heart.status('c1')).toBe('Stopped');
      expect(heart.told).toEqual([]);
      expect(heart.identity.known.size).toBe(0);
      again();
      await heart.setState('c1', 'start');
      expect(heart.status('c1')).toBe('Running');
    },
  );

  it('because the instance cannot be identified ends its processes', async () => {
    heart.add('c1');
    heart.identity.trouble = new Error('process is gone');
    await expect(heart.setState('c1', 'start')).rejects.toThrow(
      'The instance cannot be identified: process is gone',
    );
    expect(heart.runs('c1')).toBe(false);
    expect(heart.starting).toEqual([true, false]);
  });

  it('because the disk is full leaves the instance running; the next daemon stores that', async () => {
    const { id } = heart.add('c1');
    heart.store.refuse(telling('instance-started'));
    await expect(heart.setState('c1', 'start')).rejects.toThrow('full');
    expect(heart.status('c1')).toBe('Running');
    expect(heart.identity.known.has(id)).toBe(true);
    expect(heart.told).toEqual([]);
    const next = await heart.crash();
    expect(next.power('c1')).toBe('RUNNING');
  });

  it('does not block the next work in the queue', async () => {
    heart.add('c1');
    const held = heart.machine.faults.hold('start');
    const failed = heart.setState('c1', 'start');
    const noted = expect(failed).rejects.toThrow('no');
    const updated = heart.host.instances.patch('c1', { description: 'new' }, BY);
    await held.reached;
    expect(heart.get('c1').description).toBe('');
    held.fail(new Error('no'));
    await noted;
    await updated;
    expect(heart.get('c1').description).toBe('new');
  });
});

describe('A start is refused', () => {
  it('if the instance runs', async () => {
    await heart.addRunning('c1');
    await expect(heart.setState('c1', 'start')).rejects.toThrow('The instance is already running');
  });

  it('while the instance is being started', async () => {
    heart.add('c1');
    const held = heart.machine.faults.hold('start');
    const first = heart.setState('c1', 'start');
    await held.reached;
    expect(() => heart.setState('c1', 'start')).toThrow('Instance is busy running a "start" operation');
    held.open();
    await first;
  });

  it('if the instance is adopted', async () => {
    heart.add('c1', { config: { 'volatile.adopted': '7:1:11111111-2222-4333-8444-555555555555' } });
    await expect(heart.setState('c1', 'start')).rejects.toThrow('start it there');
  });

  it('if the instance has been deleted meanwhile', async () => {
    const { id } = heart.add('c1');
    const deleted = heart.done(heart.host.instances.delete('c1', BY));
    const started = heart.setState('c1', 'start');
    await deleted;
    await expect(started).rejects.toThrow('Instance not found');
    expect(heart.machine.runs.has(id)).toBe(false);
  });
});
