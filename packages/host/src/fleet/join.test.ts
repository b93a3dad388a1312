import { afterEach, beforeEach, expect, it } from 'vitest';
import { mirrorKeyOf } from '../core/mirror.ts';
import { type SharedChange, sharedPartOf } from '../core/shared.ts';
import { type MemberHost, memberOf } from './testing/member-host.ts';
import { MemberHosts } from './testing/member-hosts.ts';

let hosts: MemberHosts;
let a: MemberHost;

beforeEach(async () => {
  hosts = new MemberHosts();
  a = await hosts.join('a', (heart) => void heart.add('a1'));
});
afterEach(() => hosts.stop());

/** Others write this when the host `b` has been checked, and its record is written. */
function rival(changes: readonly SharedChange[]): void {
  const { history } = hosts;
  const add = history.add.bind(history);
  history.add = (by, commit) => {
    if (commit.changes.some((change) => mirrorKeyOf(change) === 'members/b')) {
      history.add = add;
      history.write(changes);
    }
    add(by, commit);
  };
}

const put = (key: string) => hosts.history.objects.get(key);

it('A host that joins replaces no instance that another member has made meanwhile', async () => {
  const theirs = { ...sharedPartOf(a.heart.get('a1'), 'z'), name: 'b1', id: 77 };
  rival([{ kind: 'put-instance', instance: theirs }]);
  await expect(hosts.join('b', (heart) => void heart.add('b1'))).rejects.toThrow('changed');
  expect(put('instances/b1')).toMatchObject({ instance: { member: 'z' } });
  expect(put('members/b')).toBeUndefined();
});

it('A host that joins replaces no profile that another member has made meanwhile', async () => {
  const web = (role: string) => ({ description: '', config: { 'user.role': role }, devices: {} });
  rival([{ kind: 'put-profile', profile: { name: 'web', ...web('theirs') } }]);
  await expect(hosts.join('b', (heart) => heart.addProfile('web', web('own')))).rejects.toThrow('changed');
  expect(put('profiles/web')).toMatchObject({ profile: { config: { 'user.role': 'theirs' } } });
});

it('A host that joins does not take the name of another host that has joined meanwhile', async () => {
  const other = { ...memberOf('b'), fingerprint: 'f'.repeat(64) };
  const store = hosts.history.open();
  const commit = store.commit.bind(store);
  let isFirst = true;
  store.commit = async (asked) => {
    if (isFirst) hosts.history.write([{ kind: 'put-member', member: other }]);
    isFirst = false;
    await commit(asked);
  };
  hosts.history.open = () => store;
  await expect(hosts.join('b')).rejects.toThrow('changed');
  expect(put('members/b')).toMatchObject({ member: { fingerprint: other.fingerprint } });
});
