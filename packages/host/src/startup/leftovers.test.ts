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
/** Folders of instances, in the folder and on the machine. */
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
  it('are folders of ids that nobody has, and images and roots that nobody knows', async () => {
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

  it('are removed in their own time: nothing is gone before', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(5);
    const remove = await find();
    expect(left()).toEqual([5]);
    await remove(signal());
    expect(left()).toEqual([]);
  });

  it('that cannot be removed keep no others', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(4, 5);
    heart.machine.faults.refuse('remove', new Error('busy'), { subject: '4' });
    await (await find())(signal());
    expect(left()).toEqual([4]);
  });

  it('stay when the daemon ends before their turn', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(4, 5);
    await (await find())(AbortSignal.abort());
    expect(left()).toEqual([4, 5]);
  });

  it('that somebody runs in stay, with all roots', async () => {
    heart.model.commit([{ kind: 'give-instance-id', id: 5 }]);
    have(5);
    heart.machine.roots.add(`${'a'.repeat(64)}-0`);
    heart.machine.begin({ id: 5, name: 'x', config: {}, devices: {}, lower: '', devlxd: true });
    await (await find())(signal());
    expect(left()).toEqual([5]);
    expect(heart.machine.roots.size).toBe(1);
    expect(heart.machine.runs.get(5)?.holders).toBe(0);
  });
});

describe('Folders with later ids than were ever given', () => {
  it('are kept, and so are all images and roots; their ids are never given', async () => {
    have(7);
    heart.images.stored.add('a'.repeat(64));
    heart.machine.roots.add(`${'a'.repeat(64)}-0`);
    await (await find())(signal());
    expect(left()).toEqual([7]);
    expect(heart.images.stored.size).toBe(1);
    expect(heart.machine.roots.size).toBe(1);
    expect(heart.model.nextInstanceId()).toBe(8);
  });

  it('are still kept at the next start, and forgotten once an operator has removed them', async () => {
    have(7);
    await (await find())(signal());
    await (await find())(signal());
    expect(left()).toEqual([7]);
    rmSync(join(folder, '7'), { recursive: true });
    await (await find())(signal());
    expect(heart.store.keptFolders().size).toBe(0);
  });
});

describe('A directory that does not know its database', () => {
  it('keeps all that is there', async () => {
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
