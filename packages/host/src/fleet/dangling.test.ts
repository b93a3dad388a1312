import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type SharedChange, sharedPartOf } from '../core/shared.ts';
import { BY } from '../instances/testing/heart.ts';
import { MemberHost } from './testing/member-host.ts';
import { MemoryHistory } from './testing/memory-store.ts';

// Records that no member writes; an operator can, with etcd's own client.
const NONE = 'e'.repeat(64);

let history: MemoryHistory;
let a: MemberHost;
let b: MemberHost;

beforeEach(async () => {
  history = new MemoryHistory();
  const web = { config: { 'user.n': '1' } };
  a = await MemberHost.join(history, 'a', (heart) => {
    heart.addProfile('web', web);
    heart.addImage();
  });
  b = await MemberHost.join(history, 'b', (heart) => {
    heart.addProfile('web', web);
    heart.add('b1', { profiles: ['default', 'web'] });
  });
});
afterEach(() => {
  for (const member of [a, b]) member.stop();
});

const instanceWith = (...profiles: string[]): SharedChange => ({
  kind: 'put-instance',
  instance: { ...sharedPartOf(b.heart.get('b1'), 'b'), profiles },
});

/** Resolves when the claim holds. Members follow, and correct records, some turns later. */
const soon = (claim: () => void) => vi.waitFor(claim, { timeout: 4_000, interval: 2 });

/** Writes changes, and then one that shows that both members go on. */
async function write(...changes: SharedChange[]): Promise<void> {
  history.write(changes);
  const revision = history.revision;
  await soon(() => expect(a.mirror.fleet.revision).toBeGreaterThanOrEqual(revision));
  await a.heart.host.profiles.update('default', { description: 'newest', config: {}, devices: {} }, BY);
  await soon(() => {
    for (const { heart } of [a, b])
      expect(heart.host.profiles.get('default').profile.description).toBe('newest');
  });
}

describe('A record that refers to what is not there', () => {
  it('is left out if it is an alias without its image', async () => {
    await write({ kind: 'put-alias', alias: { name: 'x', target: NONE, description: '' } });
    for (const { heart } of [a, b]) expect([...heart.model.state.aliases]).toEqual([]);
  });

  it('takes the aliases of a deleted image with it', async () => {
    const fingerprint = 'f'.repeat(64);
    await write({ kind: 'put-alias', alias: { name: 'x', target: fingerprint, description: '' } });
    expect([...b.heart.model.state.aliases.keys()]).toEqual(['x']);
    await write({ kind: 'delete-image', fingerprint });
    for (const { heart } of [a, b]) expect([...heart.model.state.aliases]).toEqual([]);
  });

  it('is corrected if it is an instance without one of its profiles', async () => {
    await write(instanceWith('default', 'nosuch'));
    expect(b.heart.get('b1').profiles).toEqual(['default', 'web']);
    await soon(() => expect(history.objects.get('instances/b1')).toEqual(instanceWith('default', 'web')));
  });

  it('is written again if it is a profile that an instance uses', async () => {
    await write({ kind: 'delete-profile', name: 'web' });
    await soon(() => {
      for (const { heart } of [a, b])
        expect(heart.host.profiles.get('web').profile.config).toEqual({ 'user.n': '1' });
    });
    expect(b.heart.get('b1').profiles).toEqual(['default', 'web']);
  });

  it('does not stop a member that takes over the whole state', async () => {
    b.store.isCutOff = true;
    history.write([
      { kind: 'put-alias', alias: { name: 'x', target: NONE, description: '' } },
      { kind: 'delete-profile', name: 'web' },
    ]);
    history.compacted = history.revision;
    b.store.isCutOff = false;
    await write(instanceWith('nosuch'));
    expect(b.heart.get('b1').profiles).toEqual(['default', 'web']);
  });

  it('is followed if the instance stops using the profile at the same time', async () => {
    await write(instanceWith('default'), { kind: 'delete-profile', name: 'web' });
    expect(b.heart.get('b1').profiles).toEqual(['default']);
    for (const { heart } of [a, b]) expect([...heart.model.state.profiles.keys()]).toEqual(['default']);
  });
});
