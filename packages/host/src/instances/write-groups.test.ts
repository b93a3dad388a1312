import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostError } from '../core/host-errors.ts';
import { keyEffect, readyEffect } from './guest-writes.ts';
import { ALLOWED, FakeModel, instanceOf } from './testing/fake-model.ts';
import { WriteGroups } from './write-groups.ts';

const NO_PROFILES = new Map();

function groupsOn(model: FakeModel) {
  const groups = new WriteGroups(model);
  const write = (id: number, key: string, value: string | null) =>
    groups.add(id, (instance) => keyEffect(instance, NO_PROFILES, key, value));
  return { groups, write };
}

const metadataOf = (model: FakeModel) =>
  model.commits.flatMap(({ told }) => told).map(({ type, metadata }) => [type, metadata]);

describe('writes of instances', () => {
  it('take only a few commits for thousands of instances', async () => {
    const model = new FakeModel(3000);
    const { write } = groupsOn(model);
    const ids = [...model.instances.keys()];
    expect(new Set(await Promise.all(ids.map((id) => write(id, 'guest.a', '1'))))).toEqual(
      new Set(['stored']),
    );
    expect(model.commits.length).toBeLessThanOrEqual(24);
    for (const { config } of model.instances.values()) expect(config['guest.a']).toBe('1');
  });

  it('are answered only after their commit', async () => {
    const model = new FakeModel(1);
    const { write } = groupsOn(model);
    const written = write(1, 'guest.a', '1');
    expect(model.commits).toEqual([]);
    await written;
    expect(model.commits).toHaveLength(1);
  });

  it('build on each other within one commit, each with its event', async () => {
    const model = new FakeModel(1);
    const { groups, write } = groupsOn(model);
    const ready = groups.add(1, (instance) => readyEffect(instance, true));
    await Promise.all([write(1, 'guest.a', '1'), write(1, 'guest.a', '2'), write(1, 'guest.b', '3'), ready]);
    expect(model.commits).toHaveLength(1);
    expect(model.commits[0]?.changes).toHaveLength(1);
    const change = (key: string, old_value: string, value: string) => ['config', { key, old_value, value }];
    const updated = (key: string) => [
      'lifecycle',
      { action: 'instance-updated', source: '/1.0/instances/c1', context: { key } },
    ];
    expect(metadataOf(model)).toEqual([
      ['lifecycle', { action: 'instance-ready', source: '/1.0/instances/c1' }],
      change('guest.a', '', '1'),
      updated('guest.a'),
      change('guest.a', '1', '2'),
      updated('guest.a'),
      change('guest.b', '', '3'),
      updated('guest.b'),
    ]);
    expect(model.current(1).config).toMatchObject({ 'guest.a': '2', 'guest.b': '3' });
  });

  it('name the instance as the cause of their lifecycle events', async () => {
    const model = new FakeModel(2);
    await groupsOn(model).write(2, 'guest.a', '1');
    const told = model.commits[0]?.told.filter(({ type }) => type === 'lifecycle');
    expect(told).toMatchObject([{ causedBy: 2 }]);
  });

  it('see the changes of an operator meanwhile, and are refused if these forbid them', async () => {
    const model = new FakeModel(2);
    const { write } = groupsOn(model);
    const kept = write(1, 'guest.a', '1');
    const forbidden = write(2, 'guest.a', '1');
    const one = { ...model.current(1), config: { ...ALLOWED, 'user.b': '2' } };
    model.commit([{ kind: 'put-instance', instance: one }], []);
    model.commit([{ kind: 'put-instance', instance: instanceOf(2, {}) }], []);
    expect(await Promise.all([kept, forbidden])).toEqual(['stored', 'forbidden']);
    expect(model.current(1).config).toEqual({ ...ALLOWED, 'user.b': '2', 'guest.a': '1' });
    expect(model.current(2).config).toEqual({});
  });

  it('cannot exceed the limit of keys together', async () => {
    const model = new FakeModel(1);
    const { write } = groupsOn(model);
    const results = await Promise.all(Array.from({ length: 70 }, (_, at) => write(1, `guest.k${at}`, '1')));
    expect(results.filter((result) => result === 'stored')).toHaveLength(64);
    expect(results.slice(64)).toEqual(Array.from({ length: 6 }, () => 'too-many-keys'));
  });

  it('fail alone if their instance is gone or the store refuses it', async () => {
    const model = new FakeModel(3);
    const { write } = groupsOn(model);
    model.refuse = (changes) =>
      changes.some((change) => change.kind === 'put-instance' && change.instance.id === 2)
        ? new Error('no')
        : undefined;
    model.instances.delete(3);
    const results = await Promise.allSettled([1, 2, 3].map((id) => write(id, 'guest.a', '1')));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(model.current(1).config['guest.a']).toBe('1');
  });

  it('all fail after one attempt if the disk fails, and work again with the disk', async () => {
    const model = new FakeModel(50);
    const { write } = groupsOn(model);
    let attempts = 0;
    model.refuse = () => {
      attempts++;
      return hostError('store-full', 'database or disk is full');
    };
    const ids = [...model.instances.keys()];
    const results = await Promise.allSettled(ids.map((id) => write(id, 'guest.a', '1')));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(attempts).toBe(1);
    model.refuse = () => undefined;
    expect(await write(1, 'guest.a', '1')).toBe('stored');
  });

  it('have the same result as if each had been stored alone, in any order and number', async () => {
    const write = fc.record({
      id: fc.integer({ min: 1, max: 3 }),
      key: fc.constantFrom('guest.a', 'guest.b'),
      value: fc.constantFrom('1', '2', null),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 30 }), async (writes) => {
        const model = new FakeModel(3);
        const { write: add } = groupsOn(model);
        await Promise.all(writes.map(({ id, key, value }) => add(id, key, value)));
        const alone = new FakeModel(3);
        for (const { id, key, value } of writes) {
          const { change, events } = keyEffect(alone.current(id), NO_PROFILES, key, value);
          alone.commit(change ? [change] : [], events);
        }
        expect([...model.instances]).toEqual([...alone.instances]);
        expect(metadataOf(model)).toEqual(metadataOf(alone));
      }),
    );
  });
});
