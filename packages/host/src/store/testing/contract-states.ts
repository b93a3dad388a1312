import { expect, it } from 'vitest';
import { agree, CHANGED_MEANWHILE, drop, type GetHosts, put } from './contract-hosts.ts';
import { textOf } from './replica.ts';

/** What a store has after commits. */
export function describeStates(get: GetHosts): void {
  it('gives what was committed, of each kind, to the next load', async () => {
    const { a, b, kinds } = get();
    await a.commit(kinds.map((kind) => put(kind, 1, 'one')));
    await a.commit(kinds.flatMap((kind) => [put(kind, 1, 'two'), put(kind, 2, 'other')]));
    await agree(a, b);
    await a.commit(kinds.map((kind) => drop(kind, 2)));
    await agree(a, b);
    const { state, revision } = await b.store.load();
    expect(textOf(state)).toEqual(textOf(a.state));
    expect(revision).toBeGreaterThanOrEqual(a.revision);
    expect(state.profiles.get('profile1')?.config['user.value']).toBe('two');
    expect(state.profiles.has('profile2')).toBe(false);
  });

  it('makes all of a change or nothing', async () => {
    const { a, b, kinds } = get();
    await a.commit([put('alias', 1, 'old')]);
    await agree(a, b);
    const { revision } = b;
    await a.commit([put('alias', 1, 'newer')]);
    const changes = [...kinds.map((kind) => put(kind, 5, 'x')), put('alias', 1, 'mine')];
    await expect(b.commit(changes, { based: revision })).rejects.toMatchObject(CHANGED_MEANWHILE);
    await agree(a, b);
    expect(b.state.profiles.has('profile5')).toBe(false);
    expect(b.state.aliases.get('debian/1/cloud')?.description).toBe('newer');
  });
}
