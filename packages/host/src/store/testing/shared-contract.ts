import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SharedChange } from '../../core/shared.ts';

import { type Replica, textOf } from './replica.ts';
import {
  ALIASED,
  type CommittedKind,
  imageKey,
  nameOf,
  profileKey,
  SAMPLES,
  sampleImage,
  sampleProfile,
} from './samples.ts';

/** A store to test. */
export interface ContractSubject {
  /** The kinds of objects that it keeps. */
  readonly kinds: readonly CommittedKind[];
  /** A host that uses the store and follows it; on a single host always the same one. */
  replica(name: string): Promise<Replica>;
  close(): Promise<void>;
}

/** What every store of shared objects must do. */
export function describeSharedStore(title: string, open: () => Promise<ContractSubject>): void {
  describe(title, () => {
    let subject: ContractSubject;
    let a: Replica;
    let b: Replica;
    beforeEach(async () => {
      subject = await open();
      a = await subject.replica('a');
      b = await subject.replica('b');
      // The aliases of the tests are names of it.
      await a.commit([{ kind: 'put-image', image: sampleImage(ALIASED) }]);
      await agree(a, b);
      for (const each of [a, b]) {
        each.told.length = 0;
        each.applied.clear();
      }
    });
    afterEach(() => subject.close());

    describeStates(() => ({ a, b, kinds: subject.kinds }));
    describeConflicts(() => ({ a, b, kinds: subject.kinds }));
    describeUses(() => ({ a, b, kinds: subject.kinds }));
    describeOrder(() => ({ a, b, kinds: subject.kinds }));
    describeFollowing(() => ({ a, b, kinds: subject.kinds }));
  });
}

type Get = () => { readonly a: Replica; readonly b: Replica; readonly kinds: readonly CommittedKind[] };

const put = (kind: CommittedKind, number: number, value: string): SharedChange =>
  SAMPLES[kind].put(nameOf(kind, number), value);
const drop = (kind: CommittedKind, number: number): SharedChange => SAMPLES[kind].drop(nameOf(kind, number));

/** Waits until both know all, and that is the same as what the store gives. */
async function agree(a: Replica, b: Replica): Promise<void> {
  const { state } = await a.store.load();
  const expected = textOf(state);
  for (const each of [a, b]) await each.until(() => textOf(each.state) === expected);
}

const changedMeanwhile = { code: 'changed-meanwhile', status: 409 };

function describeStates(get: Get): void {
  it('gives what was committed, of each kind, to the next load', async () => {
    const { a, b, kinds } = get();
    await a.commit(kinds.map((kind) => put(kind, 1, 'one')));
    await a.commit(kinds.flatMap((kind) => [put(kind, 1, 'two'), put(kind, 2, 'other')]));
    await agree(a, b);
    await a.commit(kinds.map((kind) => drop(kind, 2)));
    await agree(a, b);
    const { state, revision } = await b.store.load();
    expect(textOf(state)).toEqual(textOf(a.state));
    expect(revision).toBeGreaterThanOrEqual(a.revision);
    expect(state.profiles.get('profile1')?.config['user.value']).toBe('two');
    expect(state.profiles.has('profile2')).toBe(false);
  });

  it('makes all of a change or nothing', async () => {
    const { a, b, kinds } = get();
    await a.commit([put('alias', 1, 'old')]);
    await agree(a, b);
    const { revision } = b;
    await a.commit([put('alias', 1, 'newer')]);
    const changes = [...kinds.map((kind) => put(kind, 5, 'x')), put('alias', 1, 'mine')];
    await expect(b.commit(changes, { based: revision })).rejects.toMatchObject(changedMeanwhile);
    await agree(a, b);
    expect(b.state.profiles.has('profile5')).toBe(false);
    expect(b.state.aliases.get('debian/1/cloud')?.description).toBe('newer');
  });
}

/** What two hosts do to one object at the same time, after what was there before. */
const RACES = [
  ['put', 'put', 'put'],
  ['put', 'drop', 'put'],
  ['put', 'put', 'drop'],
  ['put', 'drop', 'drop'],
  ['nothing', 'put', 'put'],
  ['nothing', 'put', 'drop'],
] as const;

function describeConflicts(get: Get): void {
  it.each(RACES)(
    'refuses the second of two changes of each kind: after %s, %s and %s',
    async (before, first, second) => {
      const { a, b, kinds } = get();
      const change = (what: 'put' | 'drop', kind: CommittedKind, value: string) =>
        what === 'put' ? put(kind, 3, value) : drop(kind, 3);
      for (const kind of kinds) {
        if (before === 'put') await a.commit([put(kind, 3, 'before')]);
        await agree(a, b);
        const based = b.revision;
        await a.commit([change(first, kind, 'first')]);
        const lost = b.commit([change(second, kind, 'second')], { based });
        await expect(lost, kind).rejects.toMatchObject(changedMeanwhile);
        // It can be made again at once: the newer state is there.
        await b.commit([change(second, kind, 'again')]);
        await agree(a, b);
      }
    },
  );

  it('takes changes of different objects that were made from the same state', async () => {
    const { a, b } = get();
    const based = b.revision;
    await a.commit([put('profile', 1, 'a')], { based });
    await b.commit([put('profile', 2, 'b')], { based });
    await agree(a, b);
    expect([...a.state.profiles.keys()].sort()).toEqual(['profile1', 'profile2']);
  });

  it('loses no change of two hosts that change one object again and again', async () => {
    const { a, b } = get();
    await a.commit([{ kind: 'put-profile', profile: sampleProfile('p', '0') }]);
    await agree(a, b);
    const add = (each: Replica) => async () => {
      for (let left = 15; left > 0; left--)
        await each.change(({ profiles }) => {
          const count = Number(profiles.get('p')?.config['user.value']) + 1;
          return [{ kind: 'put-profile', profile: sampleProfile('p', String(count)) }];
        });
    };
    await Promise.all([add(a)(), add(b)()]);
    await agree(a, b);
    expect(a.state.profiles.get('p')?.config['user.value']).toBe('30');
  });
}

function describeUses(get: Get): void {
  it('refuses the use of what does not exist', async () => {
    const { a } = get();
    const uses = [profileKey('profile7')];
    await expect(a.commit([put('instance', 1, '')], { uses })).rejects.toMatchObject(changedMeanwhile);
    expect(a.state.instances.size).toBe(0);
  });

  it('takes the use of what exists, and of what the same change makes', async () => {
    const { a, b } = get();
    await a.commit([put('image', 1, 'x')]);
    await a.commit([put('profile', 1, ''), put('instance', 1, '')], {
      uses: [profileKey(nameOf('profile', 1)), imageKey(nameOf('image', 1))],
    });
    await agree(a, b);
  });

  it('refuses to drop what has been used meanwhile', async () => {
    const { a, b } = get();
    await a.commit([put('profile', 1, '')]);
    await agree(a, b);
    const key = profileKey(nameOf('profile', 1));
    const based = b.revision;
    await a.commit([put('instance', 1, '')], { uses: [key] });
    const dropped = b.commit([drop('profile', 1)], { based, unused: [key] });
    await expect(dropped).rejects.toMatchObject(changedMeanwhile);
    await agree(a, b);
    expect(b.state.profiles.size).toBe(1);
  });

  it('refuses the use of what has been dropped meanwhile', async () => {
    const { a, b } = get();
    await a.commit([put('profile', 1, '')]);
    await agree(a, b);
    const key = profileKey(nameOf('profile', 1));
    const based = b.revision;
    await a.commit([drop('profile', 1)], { unused: [key] });
    const used = b.commit([put('instance', 1, '')], { based, uses: [key] });
    await expect(used).rejects.toMatchObject(changedMeanwhile);
    expect(b.state.instances.size).toBe(0);
  });

  it('lets exactly one of a use and a removal at the same time happen', async () => {
    const { a, b } = get();
    for (let round = 10; round < 18; round++) {
      await a.commit([put('profile', round, '')]);
      await agree(a, b);
      const key = profileKey(nameOf('profile', round));
      const { revision: based } = b;
      const outcomes = await Promise.allSettled([
        a.commit([put('instance', round, '')], { uses: [key], based }),
        b.commit([drop('profile', round)], { unused: [key], based }),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await agree(a, b);
      const isUsed = a.state.instances.has(nameOf('instance', round));
      expect(a.state.profiles.has(nameOf('profile', round))).toBe(isUsed);
    }
  });
}

function describeOrder(get: Get): void {
  it('applies each own commit once, before it resolves', async () => {
    const { a } = get();
    for (let each = 1; each <= 5; each++) {
      const number = await a.commit([put('alias', each, '')]);
      expect(a.applied.get(number)).toBe(1);
      expect(a.state.aliases.has(nameOf('alias', each))).toBe(true);
    }
    expect([...a.applied.values()]).toEqual([1, 1, 1, 1, 1]);
  });

  it('tells all hosts of all changes, once and in the same order, also of many at once', async () => {
    const { a, b } = get();
    const from = a.revision;
    const commits = Array.from({ length: 60 }, (_, each) =>
      (each % 2 === 0 ? a : b).commit([put('alias', 100 + each, String(each))], { based: from }),
    );
    await Promise.all(commits);
    await agree(a, b);
    const told = (each: Replica) => each.told.map(({ revision, changes }) => [revision, changes] as const);
    expect(told(a)).toEqual(told(b));
    expect(told(a).flatMap(([, changes]) => changes)).toHaveLength(60);
    expect([...a.applied.values(), ...b.applied.values()].every((times) => times === 1)).toBe(true);
  });

  it('passes on the failure to apply a change, and goes on when it has passed', async () => {
    const { a, b } = get();
    a.trouble = new Error('no room');
    await expect(a.commit([put('profile', 1, 'x')])).rejects.toThrow('no room');
    a.trouble = null;
    await agree(a, b);
    await a.commit([put('profile', 2, 'y')]);
    await agree(a, b);
    expect(a.state.profiles.has('profile2')).toBe(true);
  });

  it('waits for a slow follower, and then tells the rest in order', async () => {
    const { a, b } = get();
    const gate = Promise.withResolvers<void>();
    b.gate = gate.promise;
    for (let each = 0; each < 20; each++) await (b === a ? undefined : a.commit([put('alias', each, '')]));
    expect(b.told).toHaveLength(0);
    gate.resolve();
    await agree(a, b);
    const revisions = b.told.map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((one, other) => one - other));
  });
}

function describeFollowing(get: Get): void {
  it('tells a follower that comes later what it has missed', async () => {
    const { a, b } = get();
    await a.commit([put('profile', 1, 'x')]);
    await agree(a, b);
    b.stop();
    const { revision, mark } = b;
    const told: number[] = [];
    for (let each = 2; each < 6; each++)
      await (b === a ? committed(a, each) : a.commit([put('profile', each, 'y')]));
    const caughtUp = Promise.withResolvers<void>();
    const stop = b.store.follow(
      revision,
      {
        changed: (batch) => {
          told.push(...batch.changes.map(() => batch.revision));
          if (told.length === 4) caughtUp.resolve();
        },
        lost: () => caughtUp.reject(new Error('lost')),
      },
      mark,
    );
    await caughtUp.promise;
    stop();
    expect(told[0]).toBeGreaterThan(revision);
  });

  it('tells nothing after the end', async () => {
    const { a, b } = get();
    b.stop();
    const { length } = b.told;
    if (b !== a) await a.commit([put('profile', 1, 'x')]);
    const { state } = await b.store.load();
    expect(state.profiles.size).toBe(b === a ? 0 : 1);
    expect(b.told).toHaveLength(length);
  });

  it('says that the history is lost, if it is older than what the store has', async () => {
    const { b } = get();
    b.stop();
    const lost = Promise.withResolvers<void>();
    b.store.follow(
      1,
      {
        changed: () => lost.reject(new Error('it has the history')),
        lost: () => lost.resolve(),
      },
      'another history',
    );
    await lost.promise;
  });
}

/** A commit of a host that has stopped following its own store. */
async function committed(a: Replica, number: number): Promise<void> {
  const { revision } = await a.store.load();
  await a.commit([put('profile', number, 'y')], { based: revision });
}
