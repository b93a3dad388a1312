import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Heart } from '../instances/testing/heart.ts';
import { findLeftovers } from './leftovers.ts';

let heart: Heart;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync('/var/tmp/porthole-left-');
  heart = await Heart.begin();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const signal = () => new AbortController().signal;
/** Makes folders of instances, on disk and on the machine. */
function have(...names: (number | string)[]): void {
  for (const name of names) {
    mkdirSync(join(folder, String(name)));
    if (typeof name === 'number') heart.machine.folders.add(name);
  }
}
const find = (settled = true) =>
  findLeftovers(heart.parts, heart.images, folder, { settled, store: heart.store });
const left = () => [...heart.machine.folders].sort();

describe('Leftovers', () => {
  it('are folders of unknown instances, and unknown images and roots', async () => {
    const { id } = heart.add('c1');
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(id, 3, 5, 'lost+found', '007');
    const { fingerprint } = heart.addImage();
    heart.images.stored.add('a'.repeat(64));
    for (const base of [fingerprint, 'a'.repeat(64)]) heart.machine.roots.add(`${base}-0`);
    await (await find())(signal());
    expect(left()).toEqual([id]);
    expect([...heart.images.stored]).toEqual([fingerprint]);
    expect([...heart.machine.roots]).toEqual([`${fingerprint}-0`]);
  });

  it('are folders whose removal was cut off', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    heart.machine.folders.add(4);
    mkdirSync(join(folder, '4.removed'));
    await (await find())(signal());
    expect(left()).toEqual([]);
  });

  it('are not the files of images that a recovery has kept', async () => {
    const [kept, unknown] = ['a'.repeat(64), 'b'.repeat(64)];
    for (const each of [kept, unknown]) heart.images.stored.add(each);
    const store = { keptFolders: () => new Set<number>(), keptImages: () => new Set([kept]) };
    const remove = await findLeftovers(heart.parts, heart.images, folder, { settled: true, store });
    await remove(signal());
    expect([...heart.images.stored]).toEqual([kept]);
  });

  it('are removed only by the returned function', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(5);
    const remove = await find();
    expect(left()).toEqual([5]);
    await remove(signal());
    expect(left()).toEqual([]);
  });

  it('that cannot be removed do not keep others from being removed', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(4, 5);
    heart.machine.faults.refuse('remove', new Error('busy'), { subject: '4' });
    await (await find())(signal());
    expect(left()).toEqual([4]);
  });

  it('stay if the daemon ends before they are removed', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(4, 5);
    await (await find())(AbortSignal.abort());
    expect(left()).toEqual([4, 5]);
  });

  it('stay if an instance runs in them, and then all roots stay too', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(5);
    heart.machine.roots.add(`${'a'.repeat(64)}-0`);
    heart.machine.begin({
      id: 5,
      name: 'x',
      config: {},
      devices: {},
      lower: '',
      devlxd: true,
      namesHost: true,
    });
    await (await find())(signal());
    expect(left()).toEqual([5]);
    expect(heart.machine.roots.size).toBe(1);
    expect(heart.machine.runs.get(5)?.holders).toBe(0);
  });
});

describe('Folders with later ids than the store has given', () => {
  it('are kept with all images and roots, and their ids are never given', async () => {
    have(7);
    heart.images.stored.add('a'.repeat(64));
    heart.machine.roots.add(`${'a'.repeat(64)}-0`);
    await (await find())(signal());
    expect(left()).toEqual([7]);
    expect(heart.images.stored.size).toBe(1);
    expect(heart.machine.roots.size).toBe(1);
    expect(heart.model.nextInstanceId()).toBe(8);
  });

  it('are also kept at later starts, and forgotten once an operator has removed them', async () => {
    have(7);
    await (await find())(signal());
    await (await find())(signal());
    expect(left()).toEqual([7]);
    rmSync(join(folder, '7'), { recursive: true });
    await (await find())(signal());
    expect(heart.store.keptFolders().size).toBe(0);
  });
});

describe('A directory that did not have its database’s id before this start', () => {
  it('keeps all files', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(5);
    heart.images.stored.add('a'.repeat(64));
    heart.machine.roots.add(`${'a'.repeat(64)}-0`);
    await (await find(false))(signal());
    expect(left()).toEqual([5]);
    expect(heart.images.stored.size).toBe(1);
    expect(heart.machine.roots.size).toBe(1);
  });
});
