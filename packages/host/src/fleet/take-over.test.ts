import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BY } from '../instances/testing/heart.ts';
import type { MemberHost } from './testing/member-host.ts';
import { MemberHosts, quiet } from './testing/member-hosts.ts';

const EMPTY = { description: '', config: {}, devices: {} };

let hosts: MemberHosts;
let a: MemberHost;
let b: MemberHost;

beforeEach(async () => {
  hosts = new MemberHosts();
  a = await hosts.join('a', (heart) => heart.addProfile('web', { config: { 'user.role': 'web' } }));
  b = await hosts.join('b', (heart) => void heart.add('b1'));
  await b.heart.host.instances.patch('b1', { config: {}, profiles: ['default', 'web'] }, BY);
});
afterEach(() => hosts.stop());

const setRole = (role: string) =>
  a.heart.host.profiles.update('web', { ...EMPTY, config: { 'user.role': role } }, BY);
const roleOfB1 = () => b.heart.model.expanded(b.heart.get('b1')).config['user.role'];
const span = () => b.heart.store.journalSpan(b.heart.get('b1').id);
/** Makes the store forget all changes so far: a member that has not followed them gets only the whole state. */
const forgetHistory = () => {
  hosts.history.compacted = hosts.history.revision;
};

describe('A member that finds the history gone', () => {
  it('when it comes back takes over the state, and old positions are too old', async () => {
    const position = span().newest;
    b.stop();
    await setRole('db');
    await a.heart.host.profiles.create({ ...EMPTY, name: 'new' }, BY);
    forgetHistory();
    b = await hosts.crash(b);
    expect(roleOfB1()).toBe('db');
    expect(b.heart.model.state.profiles.has('new')).toBe(true);
    expect(span().oldest).toBeGreaterThanOrEqual(position);
    expect(span().newest).toBeGreaterThan(position);
  });

  it('while it works tells its instances that something is missing, and no steps that never were', async () => {
    const heard = b.heart.listen('b1');
    const position = span().newest;
    b.store.isCutOff = true;
    hosts.history.write([{ kind: 'delete-alive', member: 'b' }]);
    await quiet();
    for (const role of ['1', '2']) await setRole(role);
    forgetHistory();
    b.store.isCutOff = false;
    b.store.wake();
    await quiet();
    expect(roleOfB1()).toBe('2');
    expect(heard).toEqual([]);
    expect(span().oldest).toBeGreaterThan(position);
  });
});
