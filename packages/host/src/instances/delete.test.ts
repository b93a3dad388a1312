import { expect, it } from 'vitest';
import { hostError } from '../core/errors.ts';
import type { Instance } from '../core/model.ts';
import { deleteInstance } from './delete.ts';
import type { Parts } from './needs.ts';

/** A context in which an instance can be deleted once its files are gone, or never. */
function contextOf({ works }: { works: boolean }) {
  const done: string[] = [];
  const instance = { id: 7, name: 'c7', config: {} } as unknown as Instance;
  const context = {
    running: { get: () => undefined },
    reboots: { forget: () => {} },
    unsettled: { forget: () => {} },
    roots: { sweep: async () => {} },
    runtimeOf: () => ({ owns: true, remove: async () => void done.push('removed') }),
    model: {
      state: {},
      current: () => instance,
      expanded: () => ({ config: {}, devices: {} }),
      commit() {
        if (done.length === 0 || !works) throw hostError('store-full', 'database or disk is full');
        done.push('committed');
      },
    },
  } as unknown as Parts;
  return { context, done };
}

it('deletes an instance whose own files take the room that its deletion needs', async () => {
  const { context, done } = contextOf({ works: true });
  await deleteInstance(context, 7);
  expect(done.slice(0, 2)).toEqual(['removed', 'committed']);
});

it('says that the disk is full when that does not help', async () => {
  const { context } = contextOf({ works: false });
  await expect(deleteInstance(context, 7)).rejects.toThrow('The disk that holds the state is full');
});
