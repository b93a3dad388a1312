import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { until } from '../harness/api.ts';
import { clusterOf, locationsAt, poll, TestFleet, type TestMember, valuesOf } from '../harness/fleet.ts';
import { recover } from '../harness/recovery.ts';

// Real etcd and real daemons: copies of etcd and of a member's database are put back.
const PAGE = new URL('../../../../docs/fleets.md', import.meta.url);

let fleet: TestFleet;
let ma: TestMember;
let mb: TestMember;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-snapshot-');
  fleet = await TestFleet.start();
  ma = await fleet.member('ma', async ({ daemon }) => {
    await daemon.must('image', 'build', 'busybox');
    await daemon.must('profile', 'create', 'web');
    await daemon.must('profile', 'set', 'web', 'user.role=old');
  });
  mb = await fleet.member('mb');
  await ma.daemon.must('launch', 'busybox', 'b1', '-p', 'default', '-p', 'web', '--target', 'mb');
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The commands of a part of the page, by its heading. */
function commandsOf(heading: string): string[] {
  const text = readFileSync(PAGE, 'utf8');
  const part = text.split(/^#{2,3} /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...part.matchAll(/^```\n(.*?)^```/gms)].map(([, block = '']) => block);
  return blocks.join('').replaceAll('\\\n', ' ').trim().split('\n');
}

/** Carries out a line of the page, with the paths of this test; the test is the service manager. */
async function carryOut(line: string): Promise<void> {
  const node = fleet.etcd.node(0);
  if (line.startsWith('systemctl stop etcd')) return node.kill();
  if (line.startsWith('systemctl start etcd')) {
    node.start();
    return node.ready();
  }
  const address = new URL(node.endpoint).hostname;
  const command = line
    .replaceAll('https://10.0.0.11:2379', node.endpoint)
    .replaceAll('/mnt/', `${folder}/`)
    .replaceAll('/var/lib/etcd/default', join(fleet.etcd.folder, 'node0'))
    .replaceAll('--name n1', '--name node0')
    .replaceAll('n1=https://10.0.0.11:2380', `node0=http://${address}:2380`)
    .replaceAll('https://10.0.0.11:2380', `http://${address}:2380`)
    .replaceAll('chown -R etcd:etcd', 'true');
  const { failure } = await run('sh', ['-c', command], {
    env: { ...(process.env as Record<string, string>), ETCDCTL_API: '3' },
    timeoutMs: 60_000,
  });
  expect([line, failure]).toEqual([line, '']);
}

const takesChanges = (at: TestMember, name: string) =>
  until(`${at.name} takes changes`, () =>
    at.operator.patch(name, { config: { 'user.now': `${Math.random()}` } }).then(
      () => true,
      () => false,
    ),
  );

describe('etcd that is restored from a snapshot', () => {
  it('is noticed by the members: they take over its state, put their instances back, and older positions get 410', async () => {
    mkdirSync(join(folder, 'backup'));
    for (const line of commandsOf('Back up etcd')) await carryOut(line);
    const before = await poll(mb, 'b1', 'now');
    await ma.daemon.must('profile', 'set', 'web', 'user.role=lost');
    await mb.daemon.must('config', 'set', 'b1', 'user.mine=kept');
    await ma.daemon.must('launch', 'busybox', 'b2', '--target', 'mb');
    expect(valuesOf(await poll(mb, 'b1', before.next), 'user.role')).toEqual(['lost']);
    const init = await mb.operator.pid('b2');

    const told = [ma, mb].map(({ daemon }) => daemon.logged('took over its state'));
    for (const line of commandsOf('Restore etcd')) await carryOut(line);
    await Promise.all(told);
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')).toBe('old');
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.mine')).toBe('kept');
    expect((await poll(mb, 'b1', before.next)).status).toBe(410);
    expect(await mb.operator.pid('b2')).toBe(init);
    for (const at of [ma, mb])
      await until(
        `${at.name} shows all`,
        async () => JSON.stringify(await locationsAt(at)) === '{"b1":"mb","b2":"mb"}',
      );
    await takesChanges(ma, 'b2');
    const { next } = await poll(mb, 'b1', 'now');
    await ma.daemon.must('profile', 'set', 'web', 'user.role=new');
    expect(valuesOf(await poll(mb, 'b1', next), 'user.role')).toEqual(['new']);
  });
});

describe("a member's database", () => {
  it('that is an older copy catches up with the fleet; its positions are never used twice', async () => {
    await mb.daemon.must('backup', 'create');
    const before = await poll(mb, 'b1', 'now');
    await ma.daemon.must('profile', 'set', 'web', 'user.role=later');
    await mb.daemon.must('config', 'set', 'b1', 'user.mine=later');
    await mb.daemon.kill();
    rmSync(join(mb.daemon.stateDir, 'porthole.db'));
    const { code, stdout } = await recover(mb.daemon);
    expect([code, stdout]).toEqual([0, expect.stringContaining('porthole cluster enable')]);
    await mb.daemon.start();
    expect((await clusterOf(mb)).enabled).toBe(false);
    expect(await mb.daemon.must('info')).toContain('`porthole cluster enable` makes it a member');
    expect((await poll(mb, 'b1', before.next)).status).toBe(410);
    // The fleet's newer profile is the one that counts.
    await mb.daemon.must('profile', 'set', 'web', 'user.role=later');
    await mb.daemon.must('cluster', 'enable');
    expect(await locationsAt(ma)).toEqual({ b1: 'mb', b2: 'mb' });
    await takesChanges(ma, 'b1');
  });

  it('that is lost, without any copy, is made again from records, and the host joins as the same member', async () => {
    await until('the records are written', async () => (await records()).includes('"user.now"'));
    await mb.daemon.kill();
    for (const name of ['porthole.db', 'backups'])
      rmSync(join(mb.daemon.stateDir, name), { recursive: true });
    expect((await recover(mb.daemon)).code).toBe(0);
    await mb.daemon.start();
    await mb.daemon.must('cluster', 'enable');
    for (const at of [ma, mb]) expect(await locationsAt(at)).toEqual({ b1: 'mb', b2: 'mb' });
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')).toBe('later');
    await takesChanges(ma, 'b1');
  });
});

async function records(): Promise<string> {
  const { stdout } = await run('sh', ['-c', `cat ${join(mb.daemon.stateDir, 'records')}/*`]);
  return stdout;
}

describe('etcd that is lost without a copy', () => {
  it('makes all members single hosts with all that they have, which can be members of a new fleet', async () => {
    const init = await mb.operator.pid('b1');
    const started = [ma, mb].map(({ daemon }) => daemon.logged('the fleet does not know this host any more'));
    await fleet.etcd.node(0).kill();
    rmSync(join(fleet.etcd.folder, 'node0'), { recursive: true });
    fleet.etcd.node(0).start();
    await fleet.etcd.node(0).ready();
    await Promise.all(started);
    for (const at of [ma, mb])
      await until(
        `${at.name} is a single host`,
        async () => !(await clusterOf(at).catch(() => ({ enabled: true }))).enabled,
      );
    expect(await mb.operator.pid('b1')).toBe(init);
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')).toBe('later');
    expect(await mb.daemon.must('info')).toContain('Fleet: the fleet does not know this host any more');
    for (const { daemon } of [ma, mb]) await daemon.must('cluster', 'enable');
    expect(await locationsAt(ma)).toEqual({ b1: 'mb', b2: 'mb' });
    expect(await ma.daemon.must('image', 'list')).toContain('busybox');
  });
});
