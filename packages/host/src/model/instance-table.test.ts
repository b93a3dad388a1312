import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NEVER } from '../base/clock.ts';
import { containerOf, withContainer } from '../core/container.ts';
import type { Instance } from '../core/entities.ts';
import { InstanceTable } from './instance-table.ts';

const some = fc.record({
  id: fc.integer({ min: 1, max: 4 }),
  profiles: fc.uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 2 }),
  image: fc.constantFrom('', 'x', 'y'),
  container: fc.constantFrom(null, 'one', 'two'),
  owner: fc.constantFrom('', '1000'),
  isGone: fc.boolean(),
});
type Some = typeof some extends fc.Arbitrary<infer T> ? T : never;

function instanceOf({ id, profiles, image, container, owner }: Some): Instance {
  const base = image === '' ? {} : { 'volatile.base_image': image };
  const texts = { name: '', image: '', digest: '', labels: {}, record: '' };
  return {
    ...{ id, name: `c${id}`, architecture: '', description: '', ephemeral: false, profiles, devices: {} },
    config: withContainer(base, container && { ...texts, runtime: 'podman', id: container, owner }),
    createdAt: NEVER,
    lastStartedAt: NEVER,
  };
}

it('finds the same as a look through all instances, for any changes', () => {
  fc.assert(
    fc.property(fc.array(some), (steps) => {
      const table = new InstanceTable();
      for (const step of steps) step.isGone ? table.delete(step.id) : table.put(instanceOf(step));
      const all = [...table.all.values()].sort((one, other) => one.id - other.id);
      for (const instance of all) expect(table.named(instance.name)).toBe(instance);
      for (const name of ['a', 'b'])
        expect(table.usersOf(name)).toEqual(all.filter(({ profiles }) => profiles.includes(name)));
      for (const image of ['', 'x', 'y'])
        expect(table.hasRootOf(image)).toBe(
          all.some(({ config }) => (config['volatile.base_image'] ?? '') === image),
        );
      for (const id of ['one', 'two']) {
        const found = table.ofContainer(id).sort((one, other) => one.id - other.id);
        expect(found).toEqual(all.filter(({ config }) => containerOf(config)?.id === id));
      }
      expect(table.countOf(1000)).toBe(all.filter(({ config }) => containerOf(config)?.owner).length);
    }),
  );
});
