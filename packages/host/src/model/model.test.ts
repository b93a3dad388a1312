import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../base/log.ts';
import type { Change, Instance } from '../core/entities.ts';
import type { GuestView } from '../core/view.ts';
import type { ViewFollower } from '../core/view-follower.ts';
import { FakeClock } from '../instances/testing/fake-world.ts';
import { BY, Heart } from '../instances/testing/heart.ts';
import type { EventDraft } from './event-draft.ts';
import { EventHub } from './hub.ts';
import { lifecycle } from './lifecycle.ts';
import { Model } from './model.ts';

let heart: Heart;
let c1: Instance;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addProfile('web', { config: { 'user.role': 'web' } });
  c1 = heart.add('c1', { profiles: ['default', 'web'] });
});

const put = (part: Partial<Instance>): Change => ({ kind: 'put-instance', instance: { ...c1, ...part } });
const told = (name: string, action = 'instance-updated') => lifecycle(action, 'instances', name, { by: BY });
const keyTold = (key: string): EventDraft => ({
  type: 'config',
  instanceId: c1.id,
  metadata: { key, old_value: '', value: '1' },
});

/** The value of a key of the instance in the store, the model and the view. */
function saidOf(key = 'user.a') {
  return [
    heart.store.load().instances.get(c1.id)?.config[key],
    heart.model.current(c1.id).config[key],
    heart.model.view(c1.id)?.config.get(key),
  ];
}

describe('A commit', () => {
  it('is durable and visible before any listener is called', () => {
    const seen: Record<string, unknown> = {};
    const look = (who: string) => () => {
      seen[who] = saidOf();
    };
    heart.parts.hub.onHost(look('host'));
    heart.parts.hub.onGuest(c1.id, look('guest'));
    heart.parts.hub.onView(c1.id, look('view'));
    heart.model.commit([put({ config: { 'user.a': '1' } })], [told('c1'), keyTold('user.a')]);
    expect(seen).toEqual({ host: ['1', '1', '1'], guest: ['1', '1', '1'], view: ['1', '1', '1'] });
  });

  it('has its events in the journal before they are published', () => {
    const found: boolean[] = [];
    heart.parts.hub.onGuest(c1.id, ({ sequence }) => {
      found.push(heart.store.journalSpan(c1.id).newest >= sequence);
    });
    heart.model.commit([], [keyTold('user.a'), keyTold('user.b')]);
    expect(found).toEqual([true, true]);
  });

  it('publishes its events synchronously, in their order, views first', () => {
    const order: string[] = [];
    heart.parts.hub.onView(c1.id, () => void order.push('view'));
    heart.parts.hub.onGuest(c1.id, ({ metadata }) => void order.push(String(metadata['key'])));
    heart.host.subscribe((event) => {
      if (event.type === 'lifecycle') order.push(event.metadata.action);
    });
    heart.model.commit(
      [put({})],
      [keyTold('user.b'), told('c1', 'first'), keyTold('user.a'), told('c1', 'second')],
    );
    expect(order).toEqual(['view', 'user.b', 'first', 'user.a', 'second']);
  });

  it('gives its events the time of the clock and the operator', () => {
    heart.world.clock.pass(1_500);
    heart.model.commit([], [told('c1')]);
    expect(heart.events.at(-1)).toMatchObject({
      timestamp: '2026-01-01T00:00:01.500Z',
      metadata: { action: 'instance-updated', source: '/1.0/instances/c1', requestor: BY },
    });
  });

  it('is completely there for the next daemon', async () => {
    heart.addImage();
    await heart.host.images.createAlias({ name: 'tiny', target: 'f'.repeat(64), description: '' }, BY);
    heart.model.commit([put({ config: { 'user.a': '1' } })]);
    const next = await heart.crash();
    expect(next.model.state).toEqual(heart.model.state);
    expect(next.model.view(c1.id)).toEqual(heart.model.view(c1.id));
  });
});

describe('A commit that fails', () => {
  it('changes nothing and publishes nothing', () => {
    const before = { state: structuredClone(heart.model.state), view: heart.model.view(c1.id) };
    const heard = heart.listen('c1');
    const views: number[] = [];
    heart.parts.hub.onView(c1.id, () => void views.push(1));
    const told0 = heart.told.length;
    heart.store.refuse();
    const commit = () =>
      heart.model.commit([put({ config: { 'user.a': '1' } })], [told('c1'), keyTold('user.a')]);
    expect(commit).toThrow('The disk that holds the state is full');
    expect(heart.model.state).toEqual(before.state);
    expect(heart.model.view(c1.id)).toBe(before.view);
    expect(saidOf()).toEqual([undefined, undefined, undefined]);
    expect([heard, views, heart.told.slice(told0)]).toEqual([[], [], []]);
  });

  it('in the middle has no effect', () => {
    const other = heart.add('c2');
    const clash: Change = { kind: 'put-instance', instance: { ...other, name: 'c1' } };
    expect(() => heart.model.commit([put({ description: 'new' }), clash], [told('c1')])).toThrow();
    expect(heart.model.current(c1.id)).toBe(c1);
    expect(heart.store.load().instances.get(c1.id)?.description).toBe('');
    expect(heart.told).toEqual([]);
  });

  it.each([
    ['gone already', [] as Change[]],
    ['deleted with it', [{ kind: 'delete-profile', name: 'web' }] as Change[]],
  ])('because a profile is missing (%s) has no effect', (_how, changes) => {
    const name = changes.length > 0 ? 'web' : 'no';
    expect(() => heart.model.commit([...changes, put({ profiles: [name] })])).toThrow('Profile not found');
    expect(heart.store.load().instances.get(c1.id)?.profiles).toEqual(['default', 'web']);
  });
});

/** A follower of views that does nothing. */
const FOLLOWER: ViewFollower = {
  changed: () => {},
  prepare: () => {},
  caughtUp: async () => {},
  swap: () => {},
  forget: () => {},
};

describe('Views', () => {
  it('are made again for all users of a profile that changes', () => {
    heart.add('c2');
    const before = heart.model.view(2);
    const profile = { ...heart.host.profiles.get('web').profile, config: { 'user.role': 'www' } };
    heart.model.commit([{ kind: 'put-profile', profile }]);
    expect(heart.model.view(1)?.config.get('user.role')).toBe('www');
    expect(heart.model.view(2)).toBe(before);
  });

  it('are made once for a commit, however many of its changes touch an instance', () => {
    heart.made.length = 0;
    const profile = { ...heart.host.profiles.get('web').profile, config: { 'user.role': 'www' } };
    heart.model.commit([
      { kind: 'put-profile', profile },
      put({ description: 'x' }),
      put({ description: 'y' }),
    ]);
    expect(heart.made).toEqual(['c1']);
    expect(heart.get('c1').description).toBe('y');
  });

  it('are removed with their instance, and their listeners are called', () => {
    const seen: unknown[] = [];
    heart.parts.hub.onView(c1.id, () => void seen.push(heart.model.view(c1.id)));
    heart.model.commit([{ kind: 'delete-instance', id: c1.id }]);
    expect(seen).toEqual([undefined]);
  });

  it('reach the fast lane synchronously, all in one call, before any listener is called', () => {
    const order: string[] = [];
    const hub = new EventHub(silentLog);
    const changed = (views: readonly GuestView[]) =>
      void order.push(`lane ${views.map(({ name }) => name).join(' ')}`);
    const views = { ...FOLLOWER, changed };
    const parts = { store: heart.store, hub, clock: new FakeClock(), location: '', log: silentLog };
    const model = new Model({ ...parts, views });
    hub.onView(c1.id, () => void order.push('view'));
    hub.onHost(() => void order.push('host'));
    const c2 = { ...c1, id: 2, name: 'c2' };
    model.commit([put({ description: 'x' }), { kind: 'put-instance', instance: c2 }], [told('c1')]);
    model.commit([], [told('c1')]);
    model.commit([{ kind: 'delete-instance', id: 2 }]);
    expect(order).toEqual(['lane c1 c2', 'view', 'host', 'host', 'lane ']);
  });
});

describe('The model', () => {
  it('finds instances by name and by id, after a rename only by the new name', () => {
    heart.model.commit([put({ name: 'new' })]);
    expect(heart.model.instance('new').id).toBe(c1.id);
    expect(heart.model.hasInstance('c1')).toBe(false);
    expect(() => heart.model.instance('c1')).toThrow('Instance not found');
    heart.model.commit([{ kind: 'delete-instance', id: c1.id }]);
    expect(heart.model.hasInstance('new')).toBe(false);
    expect(heart.model.instanceById(c1.id)).toBeUndefined();
    expect(() => heart.model.current(c1.id)).toThrow('Instance not found');
  });

  it('keeps the expanded config of its instances, and computes that of others', () => {
    expect(heart.model.expanded(c1)).toBe(heart.model.expanded(c1));
    const other = { ...c1, config: { 'user.role': 'own' } };
    expect(heart.model.expanded(other).config['user.role']).toBe('own');
    expect(heart.model.expanded(c1).config['user.role']).toBe('web');
  });

  it('refuses to swap the names of two instances in one commit', () => {
    const c2 = heart.add('c2');
    const swap: Change[] = [put({ name: 'c2' }), { kind: 'put-instance', instance: { ...c2, name: 'c1' } }];
    expect(() => heart.model.commit(swap)).toThrow();
    expect(heart.model.instance('c1').id).toBe(c1.id);
  });
});
