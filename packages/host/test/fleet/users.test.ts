import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { clusterOf, shows, TestFleet, type TestMember } from '../harness/fleet.ts';

// Real etcd with TLS and users, made by the commands of the page, and a real daemon.
const PAGE = new URL('../../../../docs/fleets.md', import.meta.url);

let fleet: TestFleet;
let files: Record<'ca' | 'password' | 'wrong', string>;

beforeAll(async () => {
  fleet = await TestFleet.start({ tls: 'server', flags: ['--bcrypt-cost=4'] });
  const at = (name: string) => join(fleet.etcd.folder, name);
  files = { ca: at('ca.crt'), password: at('password'), wrong: at('wrong') };
  writeFileSync(files.password, 'PASSWORD\n', { mode: 0o600 });
  writeFileSync(files.wrong, 'other\n', { mode: 0o600 });
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

/** The lines of the first block of a part of the page. */
function linesOf(heading: string): string[] {
  const part =
    readFileSync(PAGE, 'utf8')
      .split(/^#{2,3} /m)
      .find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return (/^```\n(.*?)^```/ms.exec(part)?.[1] ?? '').trim().split('\n');
}

const hostWith = (name: string, password: string): Promise<TestMember> =>
  fleet.host(name, { 'etcd-ca': files.ca, 'etcd-user': 'porthole', 'etcd-password-file': password });

it('the commands of the page make a user with all rights that a member needs, and no others', async () => {
  const lines = linesOf('Users of etcd');
  expect(lines).not.toEqual(['']);
  const env = { ...(process.env as Record<string, string>), ETCDCTL_API: '3', ETCDCTL_CACERT: files.ca };
  const endpoint = fleet.etcd.node(0).endpoint;
  for (const line of lines) {
    const { failure } = await run('sh', ['-c', line], { env: { ...env, ETCDCTL_ENDPOINTS: endpoint } });
    expect([line, failure]).toEqual([line, '']);
  }
  const own = ['--user', 'porthole:PASSWORD', '--endpoints', endpoint];
  expect((await run('etcdctl', [...own, 'put', '/porthole/x', '1'], { env })).failure).toBe('');
  expect((await run('etcdctl', [...own, 'del', '/porthole/x'], { env })).failure).toBe('');
  expect((await run('etcdctl', [...own, 'put', '/other', '1'], { env })).stderr).toContain(
    'permission denied',
  );
  const ma = await hostWith('ma', files.password);
  await ma.daemon.must('cluster', 'enable');
  await ma.daemon.must('profile', 'create', 'web');
  await ma.daemon.must('cluster', 'disable');
  await ma.daemon.must('cluster', 'enable');
  await shows(ma, 'ma', 'Online');
});

it('a host with wrong credentials does not join, and goes on', async () => {
  const mb = await hostWith('mb', files.wrong);
  const { code, stderr } = await mb.daemon.porthole('cluster', 'enable');
  expect([code, stderr]).toEqual([1, expect.stringContaining('etcd')]);
  expect(stderr).toMatch(/password|authentication/i);
  expect((await clusterOf(mb)).enabled).toBe(false);
});
