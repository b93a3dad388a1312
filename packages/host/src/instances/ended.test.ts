import { beforeEach, describe, expect, it } from 'vitest';
import { BY, Heart } from './testing/heart.ts';
import { telling, withChange } from './testing/test-store.ts';
import { ownTimers, pass } from './testing/time.ts';

ownTimers();

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1');
  heart.told.length = 0;
});

async function end(ending: 'stop' | 'reboot', name = 'c1'): Promise<void> {
  heart.run(name).end(ending);
  await heart.quiet();
}

describe('An instance that shuts down by itself', () => {
  it('is stored as stopped, with an event that no operator has caused', async () => {
    const { id } = heart.get('c1');
    heart.connections.open.set(id, 2);
    await end('stop');
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
    expect(heart.told).toEqual(['instance-shutdown c1']);
    expect(heart.identity.known.has(id)).toBe(false);
    expect(heart.connections.open.has(id)).toBe(false);
    const [event] = heart.store.eventsAfter({
      ...{ instanceId: null, after: 1, types: new Set(['lifecycle']), events: 9, bytes: 9999 },
    }).events;
    expect(event?.metadata).toEqual({ action: 'instance-shutdown', source: '/1.0/instances/c1' });
  });

  it('is unknown to the guest API at once, while its end waits for other work', async () => {
    const { id } = heart.get('c1');
    const held = heart.machine.faults.hold('checkDevice');
    const devices = { mnt: { type: 'disk', source: '/srv', path: '/mnt' } };
    const updated = heart.done(heart.host.instances.update('c1', { ...heart.get('c1'), devices }, BY));
    await held.reached;
    await end('stop');
    expect(heart.identity.known.has(id)).toBe(false);
    expect(heart.told).toEqual([]);
    held.open();
    await updated;
    await heart.quiet();
    expect(heart.told).toEqual(['instance-updated c1', 'instance-shutdown c1']);
  });

  it('is deleted with its files if it is ephemeral', async () => {
    const { id } = await heart.addRunning('e1', { ephemeral: true });
    heart.told.length = 0;
    await end('stop', 'e1');
    expect(heart.model.hasInstance('e1')).toBe(false);
    expect(heart.machine.folders.has(id)).toBe(false);
    expect(heart.told).toEqual(['instance-shutdown e1', 'instance-deleted e1']);
  });

  it('counts as stopped, even if that cannot be stored yet', async () => {
    const again = heart.store.refuse(telling('instance-shutdown'));
    await end('stop');
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.told).toEqual([]);
    again();
    await pass(heart, 1_000);
    expect(heart.power('c1')).toBe('STOPPED');
    expect(heart.told).toEqual(['instance-shutdown c1']);
  });

  it('needs no stored end if it has been started again', async () => {
    const again = heart.store.refuse(telling('instance-shutdown'));
    await end('stop');
    again();
    await heart.setState('c1', 'start');
    await pass(heart, 100_000);
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual(['instance-started c1']);
  });

  it('needs no stored end if it has been deleted', async () => {
    const again = heart.store.refuse(telling('instance-shutdown'));
    await end('stop');
    again();
    await heart.done(heart.host.instances.delete('c1', BY));
    await pass(heart, 100_000);
    expect(heart.told).toEqual(['instance-deleted c1']);
  });
});

describe('An instance that reboots by itself', () => {
  it('runs again, with events of its shutdown and its restart', async () => {
    const { pid } = heart.run('c1');
    await end('reboot');
    expect(heart.run('c1').pid).not.toBe(pid);
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual(['instance-shutdown c1', 'instance-restarted c1']);
    expect(heart.identity.known.size).toBe(1);
  });

  it('has a new run, so that callers of the previous one do not count as its own', async () => {
    const { id } = heart.get('c1');
    const before = heart.guest.identify(id);
    await end('reboot');
    expect(heart.guest.identify(id)).not.toEqual(before);
  });

  it('is stored as rebooting between the two runs', async () => {
    const held = heart.machine.faults.hold('start');
    await end('reboot');
    expect(heart.power('c1')).toBe('REBOOTING');
    expect(heart.status('c1')).toBe('Stopped');
    held.open();
    await heart.quiet();
    expect(heart.power('c1')).toBe('RUNNING');
  });

  it('is not deleted, even if it is ephemeral', async () => {
    await heart.addRunning('e1', { ephemeral: true });
    await end('reboot', 'e1');
    expect(heart.status('e1')).toBe('Running');
  });

  it('is stopped if it cannot be started again', async () => {
    heart.machine.faults.refuse('start');
    await end('reboot');
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
  });

  it('is started as soon as its end can be stored', async () => {
    const again = heart.store.refuse(withChange('put-instance'));
    await end('reboot');
    expect(heart.runs('c1')).toBe(false);
    again();
    await pass(heart, 1_000);
    expect(heart.status('c1')).toBe('Running');
  });
});
