import { describe, expect, test as it } from 'vitest';
import type { CopyFacts } from '../store/sqlite/inspect.ts';
import { checkNamed, newestGood } from './choose-copy.ts';

const ID = 'a'.repeat(32);
const facts = (position: number, id: string | null = ID): CopyFacts => ({
  ...{ id, schema: 6, bytes: 1, position, instances: 0, profiles: 1, images: 0 },
});

/** Copies by path; a copy in `broken` opens, and fails its check. */
const looking =
  (copies: Record<string, CopyFacts>, broken: readonly string[] = []) =>
  (path: string, check: boolean) => {
    const found = copies[path];
    if (!found || (check && broken.includes(path))) throw new Error(`${path} is damaged`);
    return found;
  };

describe('the newest good copy', () => {
  it('is the one with the highest position; names do not matter', () => {
    const look = looking({ a: facts(5), b: facts(9), c: facts(7) });
    expect(newestGood(['a', 'b', 'c'], ID, () => {}, look)?.path).toBe('b');
  });

  it('is an older one if the newest are damaged, and it says so', () => {
    const told: string[] = [];
    const look = looking({ a: facts(5), b: facts(9) }, ['b']);
    expect(newestGood(['a', 'b', 'gone'], ID, (text) => told.push(text), look)?.path).toBe('a');
    expect(told).toEqual(['gone is damaged', 'b is damaged']);
  });

  it('is of this state directory', () => {
    const look = looking({ a: facts(5), b: facts(9, 'b'.repeat(32)) });
    expect(newestGood(['a', 'b'], ID, () => {}, look)?.path).toBe('a');
    expect(newestGood(['b'], ID, () => {}, look)).toBeNull();
    expect(newestGood([], ID, () => {}, look)).toBeNull();
  });

  it('is any one if the id of the directory is lost', () => {
    expect(newestGood(['a'], null, () => {}, looking({ a: facts(5) }))?.facts.id).toBe(ID);
  });
});

it('a named copy of another directory is refused; a copy without an id is used', () => {
  const look = looking({ other: facts(1, 'b'.repeat(32)), old: facts(1, null) });
  expect(() => checkNamed('other', ID, look)).toThrow(
    'The copy other belongs to the state directory with id bbb',
  );
  expect(checkNamed('old', ID, look).path).toBe('old');
});
