import { beforeEach, describe, expect, it } from 'vitest';
import { disk } from '../instances/testing/devices.ts';
import { BY, Heart } from '../instances/testing/heart.ts';

/** Running users of the profile: more than are changed at a time. */
const USERS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'] as const;

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addProfile('web');
  for (const name of USERS) await heart.addRunning(name, { profiles: ['default', 'web'] });
  heart.told.length = 0;
});

const add = async () =>
  heart.host.profiles.update('web', { description: '', config: {}, devices: { srv: disk('/srv') } }, BY);
const inside = () => USERS.map((name) => heart.run(name).devices.has('srv'));

/** Holds the addition of the device in each user. @returns the ids of those in which it has begun */
function holdAll() {
  const holds = USERS.map((name) => {
    const { id } = heart.get(name);
    return { id, held: heart.machine.faults.hold('attach', { subject: `${id}/srv` }) };
  });
  const begun: number[] = [];
  for (const { id, held } of holds) void held.reached.then(() => begun.push(id));
  return { begun, heldOf: (id: number) => holds[id - 1]!.held };
}

describe('A device that a profile gives to many instances', () => {
  it('is added to four of them at a time', async () => {
    const { begun, heldOf } = holdAll();
    const added = add();
    await heart.quiet();
    expect(begun).toEqual([1, 2, 3, 4]);
    heldOf(3).open();
    await heart.quiet();
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    for (const id of [1, 2, 4, 5, 6]) heldOf(id).open();
    await added;
    expect(inside()).toEqual(USERS.map(() => true));
    expect(heart.told).toEqual(['profile-updated web']);
  });

  it('is looked for on the host once', async () => {
    let looks = 0;
    const { runtime } = heart;
    const check = runtime.checkDevice.bind(runtime);
    runtime.checkDevice = (name, device) => {
      looks++;
      return check(name, device);
    };
    await add();
    expect(looks).toBe(1);
  });

  it('is added to no further one after a failure, and is taken out of all, when those that have begun are over', async () => {
    const { begun, heldOf } = holdAll();
    const added = add();
    await heart.quiet();
    heldOf(2).fail(new Error('no luck'));
    await heart.quiet();
    for (const id of [1, 3, 4]) heldOf(id).open();
    await expect(added).rejects.toThrow('no luck (instance c2)');
    expect(begun).toEqual([1, 2, 3, 4]);
    expect(inside()).toEqual(USERS.map(() => false));
    expect(heart.store.additions().size).toBe(0);
    expect(heart.told).toEqual([]);
  });
});
