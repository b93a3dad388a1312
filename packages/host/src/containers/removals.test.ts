import { beforeEach, describe, expect, it } from 'vitest';
import { BY, Heart } from '../instances/testing/heart.ts';
import { Adoptions } from './adoptions.ts';
import { Looked } from './looks/looked.ts';
import type { Wanted } from './looks/looks.ts';
import type { TarEntry } from './looks/tar-entries.ts';
import { Removals } from './removals.ts';

let heart: Heart;
let removals: Removals;
/** The paths that are there. */
let there: Set<string>;
let asked: Wanted[];
let answer: (folder: string) => Promise<void>;
beforeEach(async () => {
  heart = await Heart.begin();
  [there, asked] = [new Set(), []];
  answer = async () => {};
  removals = new Removals(heart.parts, () => async (wanted) => {
    asked.push(wanted);
    await answer(wanted.folders?.[0] ?? '');
    return lookedAt(wanted);
  });
});

function lookedAt({ files = [], folders = [] }: Wanted): Looked {
  const folder: Omit<TarEntry, 'name'> = { kind: 'folder', uid: 0, mode: 0o755, content: Buffer.alloc(0) };
  const found = [...files, ...folders.map((each) => `${each}/.`)]
    .filter((path) => there.has(path.replace(/\/\.$/, '')))
    .map((name) => [name, { ...folder, name }] as const);
  return new Looked(new Map(found), new Set(files.filter((each) => !there.has(each))), [0]);
}

/** A container that has run. */
async function ended(name: string, record: string): Promise<void> {
  const pid = heart.machine.startForeign();
  const container = { runtime: 'podman', id: name, name, image: '', digest: '', labels: {} } as const;
  const adoptions = new Adoptions(heart.parts, {
    create: (input) => heart.host.instances.create(input, BY),
    describe: async () => ({ container: { ...container, owner: '', record }, words: {} }),
    describeOfUser: () => new Promise(() => {}),
  });
  const subject = { of: 'oci', id: name, pid, bundle: '/b', annotations: {} } as const;
  const { bootId } = heart.parts.adopter.nameOf(pid);
  await adoptions.begin({ moment: 'start', ticks: 10n ** 15n, bootId, subject });
  heart.machine.foreign.get(pid)?.end();
  await heart.quiet();
}
const left = () => [...heart.model.state.instances.values()].map(({ name }) => name).sort();

describe('The instance of a container', () => {
  it('goes with its record, while others stay', async () => {
    for (const name of ['a', 'b']) await ended(name, `/r/${name}`);
    there = new Set(['/r', '/r/b']);
    await removals.look();
    expect(left()).toEqual(['b']);
    expect(asked).toEqual([{ files: ['/r/a', '/r/b'], folders: ['/r'] }]);
  });

  it.each([
    ['the folder of all records is gone too', '/r/a', []],
    ['it has no record', '', ['/r']],
  ])('stays if %s', async (_what, record, paths) => {
    await ended('a', record);
    there = new Set(paths);
    await removals.look();
    expect(left()).toEqual(['a']);
  });

  it('is not held up by a disk that does not answer, which is left alone for a minute', async () => {
    await ended('a', '/deaf/a');
    await ended('b', '/r/b');
    there = new Set(['/r', '/deaf']);
    const { promise, reject } = Promise.withResolvers<void>();
    answer = (folder) => (folder === '/deaf' ? promise : Promise.resolve());
    const first = removals.look();
    await heart.quiet();
    expect(left()).toEqual(['a']);
    await removals.look();
    reject(new Error('no answer'));
    await first;
    await removals.look();
    expect(asked.filter(({ folders }) => folders?.[0] === '/deaf')).toHaveLength(1);
    answer = async () => {};
    heart.world.clock.pass(60_000);
    await removals.look();
    expect(left()).toEqual([]);
  });
});
