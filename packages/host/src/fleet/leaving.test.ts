import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostError } from '../core/host-errors.ts';
import type { SharedChange } from '../core/shared.ts';
import { BY } from '../instances/testing/heart.ts';
import { leave, removeMember } from './leave.ts';
import type { MemberHost } from './testing/member-host.ts';
import { MemberHosts, quiet } from './testing/member-hosts.ts';

const OWN = 'e'.repeat(64);
const ELSEWHERE = 'f'.repeat(64);

let hosts: MemberHosts;
let a: MemberHost;
let b: MemberHost;

beforeEach(async () => {
  hosts = new MemberHosts();
  a = await hosts.join('a', (heart) => void heart.add('a1'));
  b = await hosts.join('b', (heart) => void heart.add('b1'));
  await addImage(a, ELSEWHERE);
  await addImage(b, OWN);
});
afterEach(() => hosts.stop());

/** Gives a member an image, with an alias of its own. */
async function addImage(member: MemberHost, fingerprint: string): Promise<void> {
  await member.addImage(fingerprint);
  const alias = { name: `alias-${fingerprint[0]}`, target: fingerprint, description: '' };
  await member.heart.model.change(() => ({ changes: [{ kind: 'put-alias', alias }] }));
  await quiet();
}

/** What a host has as a single one. */
function kept({ heart }: MemberHost) {
  const { images, aliases, instances } = heart.model.state;
  return {
    images: [...images.keys()],
    aliases: [...aliases.keys()],
    instances: [...instances.values()].map(({ name }) => name),
  };
}

const ALONE = { images: [OWN], aliases: ['alias-e'], instances: ['b1'] };

describe('A host that is a single one again keeps its instances, and the images whose files it has', () => {
  it('when it leaves', async () => {
    b.heart.model.follow(await leave(b.fleet), []);
    expect(kept(b)).toEqual(ALONE);
    await quiet();
    expect(a.fleet.memberOf('b1')).toBeNull();
    expect(a.fleet.holdersOf(OWN).size).toBe(0);
  });

  it('when the daemon was killed while it left', async () => {
    b.stop();
    hosts.history.write([{ kind: 'delete-holder', fingerprint: OWN, member: 'b' }]);
    hosts.history.write([{ kind: 'delete-member', name: 'b' }]);
    b = await hosts.crash(b);
    expect(b.removed).toBe(1);
    b.heart.model.follow(b.fleet.alone(''), []);
    expect(kept(b)).toEqual(ALONE);
  });

  it('when another member removes it', async () => {
    await removeMember(a.fleet, 'b');
    await quiet();
    expect(b.removed).toBe(1);
    b.heart.model.follow(b.fleet.alone('removed'), []);
    expect(kept(b)).toEqual(ALONE);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20])(
    'when its daemon puts back what a killed one took out, and it leaves %i turns later',
    async (turns) => {
      const leaving: SharedChange = { kind: 'put-member', member: { ...b.fleet.record, state: 'leaving' } };
      b.stop();
      hosts.history.write([leaving]);
      hosts.history.write([{ kind: 'delete-instance', name: 'b1' }]);
      b = await b.crash();
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      b.heart.model.follow(await leave(b.fleet), []);
      expect(kept(b)).toEqual(ALONE);
      await quiet();
      expect([...hosts.history.objects.keys()]).not.toContain('instances/b1');
      expect(a.fleet.members().map(({ name }) => name)).toEqual(['a']);
      b.stop();
    },
  );
});

describe('A host that cannot leave stays a member', () => {
  /** Fails from a commit on, until the result is called. */
  function failFrom(count: number, fail: () => Promise<void>): () => void {
    const { commit } = b.store;
    let commits = 0;
    b.store.commit = (each) => (++commits > count ? fail() : commit.call(b.store, each));
    return () => {
      b.store.commit = commit;
    };
  }
  const recordOf = () => a.fleet.members().find(({ name }) => name === 'b');
  const isAsBefore = async () => {
    await vi.waitFor(() => expect(recordOf()?.state).toBe('joined'), { timeout: 3_000 });
    expect(a.fleet.memberOf('b1')).toBe('b');
    expect([...a.fleet.holdersOf(OWN)]).toEqual(['b']);
    expect(kept(b).instances).toEqual(['b1']);
    await b.heart.host.instances.patch('b1', { description: 'changed' }, BY);
  };

  it.each([0, 1, 2])('and puts its records back when etcd fails after %i commits', async (count) => {
    const mend = failFrom(count, async () => {
      throw hostError('fleet-cut-off');
    });
    await expect(leave(b.fleet)).rejects.toMatchObject({
      code: 'leave-failed',
      message: expect.stringContaining('it stays a member'),
    });
    mend();
    await isAsBefore();
    b.heart.model.follow(await leave(b.fleet), []);
    expect(kept(b)).toEqual(ALONE);
    await quiet();
    expect([...hosts.history.objects.keys()].filter((key) => /b1?$/.test(key))).toEqual(['alive/b']);
  });

  it('when its daemon was killed while it left', async () => {
    b.stop();
    hosts.history.write([{ kind: 'put-member', member: { ...b.fleet.record, state: 'leaving' } }]);
    hosts.history.write([{ kind: 'delete-instance', name: 'b1' }]);
    b = await hosts.crash(b);
    await isAsBefore();
    b = await hosts.crash(b);
    await isAsBefore();
  });

  it('until it learns that it has left, if the outcome was unknown; nobody has removed it then', async () => {
    failFrom(2, async () => {
      hosts.history.write([{ kind: 'delete-member', name: 'b' }]);
      throw hostError('fleet-outcome-unknown');
    });
    await expect(leave(b.fleet)).rejects.toMatchObject({ code: 'fleet-outcome-unknown' });
    await quiet();
    expect([b.removed, b.fleet.isLeaving, b.fleet.wasLeaving]).toEqual([1, false, true]);
  });

  it.each(['fleet-not-member', 'changed-meanwhile'] as const)(
    'unless another member removes it meanwhile (%s)',
    async (code) => {
      failFrom(1, async () => {
        await removeMember(a.fleet, 'b');
        await quiet();
        throw code === 'fleet-not-member' ? hostError(code) : hostError(code, 'Something');
      });
      b.heart.model.follow(await leave(b.fleet), []);
      expect(kept(b)).toEqual(ALONE);
      expect(b.removed).toBe(1);
    },
  );
});
