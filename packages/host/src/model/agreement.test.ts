import { describe, expect, it } from 'vitest';
import type { Change, Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { instanceOf } from '../instances/testing/fake-model.ts';
import type { SharedCommit } from '../store/shared-store.ts';
import { type Agreed, Agreement } from './agreement.ts';

const put = (instance: Instance): Change => ({ kind: 'put-instance', instance });
const withConfig = (config: Instance['config']) => ({ ...instanceOf(1, config), profiles: ['web'] });

/** A host that has nothing. */
const NOTHING: ConstructorParameters<typeof Agreement>[1] = {
  instances: { version: 0, get: () => undefined, usersOf: () => [] },
  ...{ profiles: new Map(), profilesVersion: () => 0, holders: () => [], image: () => undefined },
  expanded: ({ config, devices }) => ({ config, devices }),
};

/** An agreement with a store that keeps what it is given, and a host with one instance. */
function fleet(config: Instance['config'] = { 'user.a': '1' }) {
  const world = { instance: withConfig(config), commits: [] as SharedCommit[], refusals: 0 };
  const agreement = new Agreement(
    {
      member: 'm1',
      revision: () => 7,
      others: () => new Map(),
      holders: () => ['m1'],
      store: {
        async commit(commit) {
          world.commits.push(commit);
          await new Promise(setImmediate);
          if (world.refusals-- > 0) throw hostError('changed-meanwhile', 'Something');
          commit.apply([{ kind: 'give-instance-id', id: 99 }]);
        },
      },
    },
    { ...NOTHING, instances: { ...NOTHING.instances, get: () => world.instance } },
  );
  const applied: Required<Agreed>[] = [];
  return { world, agreement, applied, apply: (agreed: Required<Agreed>) => void applied.push(agreed) };
}

describe('A change on a single host', () => {
  it('is applied within the call', () => {
    const agreement = new Agreement(undefined, NOTHING);
    const applied: unknown[] = [];
    void agreement.change(
      () => ({ changes: [put(instanceOf(1))] }),
      ({ changes }) => applied.push(changes),
    );
    expect(applied).toEqual([[put(instanceOf(1))]]);
  });

  it('without anything to write is not applied', async () => {
    const { agreement, applied, apply } = fleet();
    await agreement.change(() => ({ changes: [] }), apply);
    expect(applied).toEqual([]);
  });
});

describe('A change in a fleet', () => {
  it('is decided before a pause begins, and the next one is refused', async () => {
    const { agreement, applied, apply } = fleet();
    const make = (value: string) => () => ({ changes: [put(withConfig({ 'user.a': value }))] });
    const onItsWay = agreement.change(make('2'), apply);
    const resume = await agreement.pause(hostError('fleet-leaving'));
    expect(applied).toHaveLength(1);
    await expect(agreement.change(make('3'), apply)).rejects.toMatchObject({ code: 'fleet-leaving' });
    resume();
    await agreement.change(make('3'), apply);
    await onItsWay;
    expect(applied).toHaveLength(2);
  });

  it('goes to the store with its base, without what only this host knows', async () => {
    const { world, agreement, applied, apply } = fleet();
    const next = withConfig({ 'user.a': '2', 'volatile.uuid': 'x' });
    await agreement.change(() => ({ changes: [put(next)] }), apply);
    expect(world.commits).toMatchObject([
      { based: 7, same: [{ kind: 'profile', name: 'web' }], uses: [], unused: [] },
    ]);
    const { lastStartedAt: _, ...shared } = next;
    expect(world.commits[0]?.changes).toEqual([
      { kind: 'put-instance', instance: { ...shared, member: 'm1', config: { 'user.a': '2' } } },
    ]);
    expect(applied[0]?.changes).toEqual([put(next), { kind: 'give-instance-id', id: 99 }]);
  });

  it('is applied at once if others share nothing of it', () => {
    const { world, agreement, applied, apply } = fleet();
    const next = { ...withConfig({ 'user.a': '1', 'volatile.last_state.power': 'RUNNING' }) };
    void agreement.change(() => ({ changes: [put({ ...next, lastStartedAt: 'now' })] }), apply);
    expect(applied).toHaveLength(1);
    expect(world.commits).toEqual([]);
  });

  it('keeps what the host has learned of an instance meanwhile', async () => {
    const { world, agreement, applied, apply } = fleet({ 'user.a': '1', 'volatile.uuid': 'u' });
    const next = withConfig({ 'user.a': '2', 'volatile.uuid': 'u', 'volatile.eth0.hwaddr': 'm' });
    const done = agreement.change(() => ({ changes: [put(next)] }), apply);
    const ready = { 'user.a': '1', 'volatile.uuid': 'u', 'volatile.last_state.ready': 'true' };
    world.instance = { ...withConfig(ready), lastStartedAt: 'later' };
    await done;
    expect(applied[0]?.changes[0]).toEqual(
      put({
        ...withConfig({
          'user.a': '2',
          'volatile.uuid': 'u',
          'volatile.last_state.ready': 'true',
          'volatile.eth0.hwaddr': 'm',
        }),
        lastStartedAt: 'later',
      }),
    );
  });

  it('is made again if another one came first', async () => {
    const { world, agreement, applied, apply } = fleet();
    world.refusals = 2;
    let made = 0;
    const make = () => ({ changes: [put(withConfig({ 'user.a': `${++made + 1}` }))] });
    await agreement.change(make, apply);
    expect(applied.map(({ changes }) => changes[0])).toEqual([put(withConfig({ 'user.a': '4' }))]);
  });

  it('fails in the end if others always come first', async () => {
    const { world, agreement, applied, apply } = fleet();
    world.refusals = Number.POSITIVE_INFINITY;
    const make = () => ({ changes: [put(withConfig({ 'user.a': '2' }))] });
    await expect(agreement.change(make, apply)).rejects.toThrow('meanwhile');
    expect(applied).toEqual([]);
  });

  it('that renames an instance frees its old name', async () => {
    const { world, agreement, apply } = fleet();
    const renamed = { ...world.instance, name: 'c2', profiles: ['web', 'db'] };
    await agreement.change(() => ({ changes: [put(renamed)] }), apply);
    expect(world.commits[0]).toMatchObject({
      changes: [{ kind: 'delete-instance', name: 'c1' }, { kind: 'put-instance' }],
      uses: [{ kind: 'profile', name: 'db' }],
    });
  });

  it('asks that nothing has begun to use a profile that goes', async () => {
    const { world, agreement, apply } = fleet();
    await agreement.change(() => ({ changes: [{ kind: 'delete-profile', name: 'web' }] }), apply);
    expect(world.commits[0]?.unused).toEqual([{ kind: 'profile', name: 'web' }]);
  });

  it('of a key cannot be made without the others', () => {
    const { agreement } = fleet();
    const next = withConfig({ 'user.a': '2' });
    expect(() => agreement.checkOwn([put(next)])).toThrow('was not agreed on');
  });
});
