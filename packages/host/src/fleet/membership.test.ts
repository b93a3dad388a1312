import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostError } from '../core/host-errors.ts';
import { BY, Heart } from '../instances/testing/heart.ts';
import { type MembershipParts, membershipCases } from './membership.ts';
import type { MemberHost } from './testing/member-host.ts';
import { MemberHosts, quiet } from './testing/member-hosts.ts';

const BUSY = expect.objectContaining({ code: 'membership-busy', status: 409 });

let hosts: MemberHosts;
let a: MemberHost;
let b: MemberHost;
let restarts: number;

beforeEach(async () => {
  restarts = 0;
  hosts = new MemberHosts();
  a = await hosts.join('a', (heart) => void heart.add('a1'));
  b = await hosts.join('b', (heart) => void heart.add('b1'));
});
afterEach(() => hosts.stop());

function casesOf(heart: Heart, fleet: MemberHost['fleet'] | null, open: MembershipParts['open'] = null) {
  return membershipCases({
    ...{ context: heart.parts, fleet, open, restart: () => void restarts++, notice: () => '' },
    ...{ checkAddress: async () => {}, own: { load: () => Promise.reject(new Error('nobody joins')) } },
    identity: async () => ({ fingerprint: 'f'.repeat(64) }),
    facts: { name: 'c', address: 'c:8443', version: '1.0.0', architecture: 'x86_64' },
  });
}

/** How an operation ends. */
async function endOf({ heart }: { readonly heart: Heart }, { id }: { readonly id: string }): Promise<string> {
  const { status, err } = await heart.parts.operations.wait(id, -1);
  return err || status;
}

/** Commits of a member wait until the result is called, and fail then. */
function held(host: MemberHost): () => void {
  const fails = Promise.withResolvers<never>();
  const { commit } = host.store;
  host.store.commit = () => fails.promise;
  return () => {
    host.store.commit = commit;
    fails.reject(hostError('fleet-cut-off'));
  };
}

describe('While a host leaves its fleet', () => {
  it('other changes of the membership are refused; changes stay paused until the end', async () => {
    const cases = casesOf(b.heart, b.fleet);
    const fail = held(b);
    const leaving = cases.disable(BY);
    await quiet();
    expect(() => cases.disable(BY)).toThrow(BUSY);
    expect(() => cases.enable(null, null, BY)).toThrow(BUSY);
    expect(() => cases.remove('a', true, BY)).toThrow(BUSY);
    const patch = () => b.heart.host.instances.patch('b1', { description: 'x' }, BY);
    await expect(patch()).rejects.toMatchObject({ code: 'fleet-leaving' });
    fail();
    expect(await endOf(b, leaving)).toContain('This host has not left the fleet');
    await patch();
    expect(await endOf(b, cases.disable(BY))).toBe('Success');
    // Until the daemon has restarted, all this is over.
    expect(() => cases.disable(BY)).toThrow(BUSY);
    expect(() => cases.enable(null, null, BY)).toThrow(BUSY);
    await expect(patch()).rejects.toMatchObject({ code: 'fleet-leaving' });
    expect(restarts).toBe(1);
  });

  it('another member can remove it if it has no lease: both succeed', async () => {
    hosts.history.write([{ kind: 'delete-alive', member: 'b' }]);
    await quiet();
    const removal = endOf(a, casesOf(a.heart, a.fleet).remove('b', true, BY));
    const leaving = endOf(b, casesOf(b.heart, b.fleet).disable(BY));
    expect(await leaving).toBe('Success');
    expect(await removal).toMatch(/^Success$|was changed meanwhile: try again$/);
    await quiet();
    expect([...hosts.history.objects.keys()].filter((key) => /b1?$/.test(key))).toEqual([]);
    expect([...b.heart.model.state.instances.values()].map(({ name }) => name)).toEqual(['b1']);
  });
});

it('A host that joins does nothing else meanwhile, and can try again after a failure', async () => {
  const heart = await Heart.begin();
  const opening = Promise.withResolvers<never>();
  const cases = casesOf(heart, null, () => opening.promise);
  const joining = cases.enable(null, null, BY);
  expect(() => cases.enable(null, null, BY)).toThrow(BUSY);
  expect(() => cases.disable(BY)).toThrow(BUSY);
  opening.reject(hostError('fleet-cut-off'));
  expect(await endOf({ heart }, joining)).toContain('cut off');
  expect(() => cases.disable(BY)).toThrow(expect.objectContaining({ code: 'not-clustered' }));
  expect(await endOf({ heart }, cases.enable(null, null, BY))).toContain('cut off');
  heart.stop();
});
