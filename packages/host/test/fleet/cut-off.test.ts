import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, until } from '../harness/api.ts';
import { CuttableWay } from '../harness/cut.ts';
import { poll, shows, TestFleet, type TestMember, valuesOf } from '../harness/fleet.ts';

// Real etcd and real daemons: what a member does that does not reach etcd.
const CUT_OFF =
  'This member is cut off from the fleet: it cannot change anything that members share, until it reaches etcd again';

let fleet: TestFleet;
let way: CuttableWay;
let ma: TestMember;
let mb: TestMember;

beforeAll(async () => {
  fleet = await TestFleet.start();
  ma = await fleet.member('ma', async ({ daemon }) => {
    await daemon.must('image', 'build', 'busybox');
    await daemon.must('profile', 'create', 'web');
    await daemon.must('profile', 'set', 'web', 'user.role=0');
  });
  way = await CuttableWay.to(fleet.etcd.node(0).endpoint);
  mb = await fleet.host('mb', { 'etcd-endpoints': way.url });
  await mb.daemon.must('cluster', 'enable');
  const target = { profiles: ['default', 'web'], config: { 'security.devlxd.guest_config': 'true' } };
  await mb.daemon.must('launch', 'busybox', 'b1', '--target', 'mb', '-p', 'default', '-p', 'web');
  await mb.operator.patch('b1', { config: target.config });
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await way?.[Symbol.asyncDispose]();
});

const isCutOff = () =>
  until('mb is cut off', async () => (await mb.daemon.must('info')).includes('CUT OFF from the fleet since'));
const isBack = () =>
  until('mb is back', async () => !(await mb.daemon.must('info')).includes('CUT OFF from the fleet since'));

async function refusals(): Promise<void> {
  await expect(mb.operator.patch('b1', { config: { 'user.a': 'never' } })).rejects.toMatchObject({
    status: 503,
    message: CUT_OFF,
  });
  const { code, stderr } = await mb.daemon.porthole('profile', 'set', 'web', 'user.role=x');
  expect([code, stderr]).toEqual([1, expect.stringContaining(CUT_OFF)]);
  const init = await mb.operator.pid('b1');
  const written = await ask(mb.daemon, { init }, '/1.0/config/guest.g', '-X', 'PUT', '-d', '1');
  expect([written.status, written.body]).toEqual([503, expect.stringContaining('cut off')]);
}

describe('a member that is cut off', () => {
  it('refuses writes of operators and of guests, and answers its guests; its local work goes on', async () => {
    way.cut();
    await isCutOff();
    await refusals();
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')).toBe('0');
    await mb.operator.state('b1', 'restart', { force: true });
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')).toBe('0');
  });

  it('is OFFLINE for the others, its instances are ERROR and not changed, and it holds up nobody', async () => {
    await shows(ma, 'mb', 'Offline');
    expect(await ma.daemon.must('list', '-f', 'csv', '-c', 'nsL')).toBe('b1,ERROR,mb\n');
    await expect(ma.operator.patch('b1', { config: { 'user.a': '1' } })).rejects.toMatchObject({
      status: 503,
    });
    for (const role of ['1', '2', '3']) await ma.daemon.must('profile', 'set', 'web', `user.role=${role}`);
  });

  it('catches up without losing, doubling or reordering an event', async () => {
    const before = await poll(mb, 'b1', 'now');
    way.mend();
    await isBack();
    await until(
      'b1 has the newest value',
      async () => (await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')) === '3',
    );
    const after = await poll(mb, 'b1', before.next);
    expect([after.status, valuesOf(after, 'user.role')]).toEqual([200, ['1', '2', '3']]);
    await mb.operator.patch('b1', { config: { 'user.a': '1' } });
  });

  it('starts cut off if etcd is away then, serves its guests, and goes on where it was', async () => {
    const before = await poll(mb, 'b1', 'now');
    await mb.daemon.stop();
    way.cut();
    await ma.daemon.must('profile', 'set', 'web', 'user.role=4');
    await mb.daemon.start();
    await isCutOff();
    await refusals();
    expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')).toBe('3');
    way.mend();
    await until(
      'b1 has the newest value',
      async () => (await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')) === '4',
    );
    expect(valuesOf(await poll(mb, 'b1', before.next), 'user.role')).toEqual(['4']);
  });

  it('from which etcd has forgotten the history takes over the state, and older positions get 410', async () => {
    await isBack();
    const before = await poll(mb, 'b1', 'now');
    await mb.daemon.stop();
    await ma.daemon.must('profile', 'set', 'web', 'user.role=5');
    await ma.daemon.must('profile', 'set', 'web', 'user.role=4');
    await fleet.compact();
    const told = mb.daemon.logged('took over its state');
    await mb.daemon.start();
    await told;
    expect(await poll(mb, 'b1', before.next)).toMatchObject({ status: 410 });
    const { next } = await poll(mb, 'b1', 'now');
    await ma.daemon.must('profile', 'set', 'web', 'user.role=6');
    expect(valuesOf(await poll(mb, 'b1', next), 'user.role')).toEqual(['6']);
  });
});

describe('without etcd', () => {
  it('all members go on answering their guests, and all refuse writes', async () => {
    await fleet.etcd.node(0).pause();
    try {
      await isCutOff();
      await refusals();
      expect(await mb.operator.sh('b1', 'devlxd /1.0/config/user.role')).toBe('6');
    } finally {
      fleet.etcd.node(0).resume();
    }
    await isBack();
    await until('writes work again', () =>
      mb.operator.patch('b1', { config: { 'user.a': '2' } }).then(
        () => true,
        () => false,
      ),
    );
  });
});
