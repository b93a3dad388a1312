import { afterEach, beforeEach, expect, it } from 'vitest';
import { NEVER } from '../base/clock.ts';
import { SLICE } from '../base/slices.ts';
import type { SharedChange, SharedInstance } from '../core/shared.ts';
import { BY, type Heart } from '../instances/testing/heart.ts';
import { HELD_MAX } from './mirror.ts';
import type { MemberHost } from './testing/member-host.ts';
import { MemberHosts } from './testing/member-hosts.ts';

/** So many that each work on all of them takes three slices. */
const MANY = 2 * SLICE + 50;
const DISK = { type: 'disk', source: '/srv', path: '/srv' };

let hosts: MemberHosts;
let a: MemberHost;

beforeEach(async () => {
  hosts = new MemberHosts();
  a = await hosts.join('a', (heart) => heart.addProfile('web'));
});
afterEach(() => hosts.stop());

/** Records of instances of a member `far`, whose daemon is not here. @param times so many others come before them */
function farPuts(times = 0): SharedChange[] {
  const ids = Array.from({ length: MANY }, (_, number) => times * MANY + number);
  return ids.map((id) => ({ kind: 'put-instance', instance: far(id) }));
}

function far(id: number): SharedInstance {
  const texts = {
    name: `far${id}`,
    architecture: 'x86_64',
    description: '',
    createdAt: NEVER,
    member: 'far',
  };
  return { ...texts, id, ephemeral: false, profiles: ['default'], config: {}, devices: {} };
}

/** Lets work go on to its end. @returns what `look` has found in the turns of the thread, each once, in their order */
async function seenUntil<T>(look: () => T, isOver: () => boolean): Promise<T[]> {
  const seen = new Set([look()]);
  while (!isOver()) {
    await new Promise(setImmediate);
    seen.add(look());
  }
  return [...seen];
}

/** The rows of other members' instances in the store of a host. */
const rowsOf = (heart: Heart) =>
  [...(heart.store.fleet()?.mirror.keys() ?? [])].filter((key) => key.startsWith('instances/')).length;

/** The numbers of changes in each commit that follows the fleet, from now on. */
function sizesOf({ model }: Heart): readonly number[] {
  const sizes: number[] = [];
  const follow = model.follow.bind(model);
  model.follow = (changes, events) => {
    sizes.push(changes.length);
    follow(changes, events);
  };
  return sizes;
}

/** While the member is away: there are many instances elsewhere, and the history is gone. */
function missMany(): void {
  a.store.isCutOff = true;
  hosts.history.write(farPuts());
  hosts.history.compacted = hosts.history.revision;
  a.store.isCutOff = false;
  a.store.wake();
}

it('A change of a profile lets other work have its turn while it reaches many running instances', async () => {
  const b = await hosts.join('b', (heart) => {
    heart.addProfile('web');
    for (let number = 0; number < MANY; number++) heart.add(`b${number}`, { profiles: ['default', 'web'] });
  });
  const all = [...b.heart.model.state.instances.values()];
  for (const instance of all) b.heart.findRunning(instance);
  const added = () => all.filter(({ name }) => b.heart.run(name).devices.has('data')).length;
  await a.heart.host.profiles.update('web', { description: '', config: {}, devices: { data: DISK } }, BY);
  expect(await seenUntil(added, () => added() === MANY)).toEqual([0, SLICE, 2 * SLICE, MANY]);
});

it('Many records of other members are written before they are too many for one turn', async () => {
  const sizes = sizesOf(a.heart);
  for (let times = 0; times < (2 * HELD_MAX) / MANY; times++) hosts.history.write(farPuts(times));
  const isOver = () => a.mirror.fleet.revision === hosts.history.revision;
  await seenUntil(() => 0, isOver);
  expect(sizes).toHaveLength(2);
  expect(Math.max(...sizes)).toBeLessThan(HELD_MAX + MANY);
});

it('A state that is taken over is written in slices, and seen by nobody before it is complete', async () => {
  missMany();
  const look = () => `${rowsOf(a.heart)} ${a.mirror.others.size}`;
  const isOver = () => a.mirror.fleet.revision === hosts.history.revision;
  expect(await seenUntil(look, isOver)).toEqual(
    expect.arrayContaining(['0 0', `${SLICE} 0`, `${2 * SLICE} 0`, `${MANY} ${MANY}`]),
  );
});

it('A daemon that ends while it takes over a state leaves nothing out', async () => {
  const { revision } = a.mirror.fleet;
  missMany();
  await seenUntil(
    () => 0,
    () => rowsOf(a.heart) === SLICE,
  );
  const next = await hosts.crash(a);
  await seenUntil(
    () => 0,
    () => next.mirror.fleet.revision === hosts.history.revision,
  );
  expect(revision).toBeLessThan(next.mirror.fleet.revision);
  expect(next.mirror.others.size).toBe(MANY);
});

it('A host that joins writes what it keeps of the fleet in slices, and nothing of an earlier try', async () => {
  hosts.history.write(farPuts());
  let sizes: readonly number[] = [];
  const b = await hosts.join('b', (heart) => {
    const left: SharedChange = { kind: 'put-instance', instance: { ...far(0), name: 'gone' } };
    heart.store.commit([{ kind: 'put-mirror', key: 'instances/gone', put: JSON.stringify(left) }], []);
    sizes = sizesOf(heart);
  });
  expect(Math.max(...sizes)).toBe(SLICE);
  expect([...b.mirror.others.keys()].toSorted()).toEqual([...a.mirror.others.keys()].toSorted());
});
