import { beforeEach, expect, test as it } from 'vitest';
import { silentLog } from '../base/log.ts';
import type { Instance } from '../core/entities.ts';
import { type Made, Views } from './views.ts';

const COUNT = 250;

let views: Views;
/** What a large change has made. */
let large: Map<number, Made>;
beforeEach(() => {
  views = new Views({ location: 'host', log: silentLog });
  for (let id = 1; id <= COUNT; id++) put(id, 'before');
  large = new Map(
    Array.from({ length: COUNT }, (_, at) => [at + 1, views.make(instance(at + 1, 'after'), new Map())]),
  );
});

const instance = (id: number, value: string): Instance => ({
  ...{ id, name: `c${id}`, architecture: 'x86_64', description: '', ephemeral: false, profiles: [] },
  ...{ config: { 'user.a': value }, devices: {}, createdAt: '', lastStartedAt: '' },
});

function put(id: number, value: string): void {
  views.begin();
  views.touch(id);
  views.remake(new Map([[id, instance(id, value)]]), new Map());
}

const shown = (id: number) => views.get(id)?.config.get('user.a');
const all = () => Array.from({ length: COUNT }, (_, at) => shown(at + 1));

it('A large change counts at once for all its instances, before and after it is moved', () => {
  expect(new Set(all())).toEqual(new Set(['before']));
  views.take(large);
  expect(new Set(all())).toEqual(new Set(['after']));
  expect([views.settle(), views.settle(), views.settle()]).toEqual([false, false, true]);
  expect(new Set(all())).toEqual(new Set(['after']));
  expect(views.expanded(COUNT)?.config).toEqual({ 'user.a': 'after' });
});

it('A later change or deletion counts, although the large one is not moved yet', () => {
  views.take(large);
  put(1, 'later');
  views.delete(2);
  while (!views.settle());
  expect([shown(1), views.get(2), shown(3)]).toEqual(['later', undefined, 'after']);
});

it('The next large change counts, although the last one is not moved yet', () => {
  views.take(large);
  views.take(new Map([[1, views.make(instance(1, 'next'), new Map())]]));
  expect([shown(1), shown(2)]).toEqual(['next', 'after']);
});
