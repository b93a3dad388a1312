import { beforeEach, describe, expect, it } from 'vitest';
import { hostError } from '../core/host-errors.ts';
import { BY, Heart } from './testing/heart.ts';

const MIB = 2 ** 20;
const root = (size?: string) => ({
  root: { type: 'disk', path: '/', pool: 'default', ...(size === undefined ? {} : { size }) },
});

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addProfile('sized', { devices: root('64MiB') });
  for (const name of ['c1', 'c2', 'c3']) await heart.addRunning(name, { profiles: ['default', 'sized'] });
});

const edit = (size?: string) =>
  heart.host.profiles.update('sized', { description: '', config: {}, devices: root(size) }, BY);
const stored = () => heart.host.profiles.get('sized').profile.devices['root']?.['size'];
const applied = () => ['c1', 'c2', 'c3'].map((name) => heart.machine.rootSizes.get(heart.get(name).id));

describe('The size of roots', () => {
  it('grows with a profile in all users that run, and in no others', async () => {
    await heart.setState('c2', 'stop');
    await edit('128MiB');
    expect(applied()).toEqual([128 * MIB, undefined, 128 * MIB]);
    expect(stored()).toBe('128MiB');
  });

  it('stays as it was, in all users and in the store, when one cannot take it', async () => {
    const { id } = heart.get('c3');
    heart.machine.faults.refuse('setRootSize', hostError('root-failed', 'no'), {
      subject: String(id),
      once: true,
    });
    await expect(edit('128MiB')).rejects.toThrow(
      /^The size of the root disk cannot be applied: no \(instance c3\)$/,
    );
    expect(applied()).toEqual([64 * MIB, 64 * MIB, 64 * MIB]);
    expect(stored()).toBe('64MiB');
  });

  it.each([
    ['32MiB', 'cannot shrink from 64MiB to 32MiB'],
    [undefined, 'cannot lose its limit'],
  ])('does not become %s while users run', async (size, why) => {
    await expect(edit(size)).rejects.toThrow(
      `The root disk ${why} while the instance runs: stop it first (instance c1)`,
    );
    for (const name of ['c1', 'c2', 'c3']) await heart.setState(name, 'stop');
    await edit(size);
    expect([stored(), applied()]).toEqual([size, [undefined, undefined, undefined]]);
  });

  it('is told to the guest as an update of the device', async () => {
    await edit('128MiB');
    const { events } = heart.store.eventsAfter({
      ...{ instanceId: heart.get('c1').id, after: 0, types: new Set(['device']) },
      ...{ events: 10, bytes: 10_000 },
    });
    expect(events.map(({ metadata }) => metadata)).toEqual([
      { action: 'updated', name: 'root', config: root('128MiB').root },
    ]);
  });
});
