import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exec } from '../../src/client/exec.ts';
import { until } from '../harness/api.ts';
import { CuttableWay } from '../harness/cut.ts';
import { shows, TestFleet, type TestMember } from '../harness/fleet.ts';

// Real etcd and real daemons: requests on their way to a member whose process stands still, or that is only slow.
const LEASE_MS = 5_000;
/** etcd looks for ended leases about once a second. */
const EXPIRY_MS = 2_000;
const STANDSTILL_MS = 3_000;

const BIG_BYTES = 64 * 1024 * 1024;

/** Of a request that was sent: the member may carry it out when it goes on. Others find no connection. */
const GONE = {
  status: 503,
  message: expect.stringMatching(
    /^(The connection to member "mb" of the fleet broke before its answer: the request may have been carried out|Member "mb" of the fleet does not answer: no handshake in time)$/,
  ),
};

let fleet: TestFleet;
let way: CuttableWay;
let ma: TestMember;
let mb: TestMember;

beforeAll(async () => {
  fleet = await TestFleet.start();
  ma = await fleet.member('ma', async ({ daemon, operator }) => {
    await daemon.must('image', 'build', 'busybox');
    await operator.create('a1');
  });
  way = await CuttableWay.to(fleet.etcd.node(0).endpoint);
  mb = await fleet.host('mb', { 'etcd-endpoints': way.url });
  await mb.daemon.must('cluster', 'enable');
  await mb.daemon.must('launch', 'busybox', 'b1', '--target', 'mb');
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await way?.[Symbol.asyncDispose]();
});

beforeEach(() => shows(ma, 'mb', 'Online'));

/** Runs a command in b1, through ma, that repeats each line of its input. */
async function repeating() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const command = { command: ['cat'], environment: {}, interactive: false, user: 0, group: 0, cwd: '' };
  const { ended } = await exec(
    ma.operator.client,
    'b1',
    { ...command, width: 0, height: 0 },
    { stdin, stdout, stderr },
  );
  const repeat = async (line: string) => {
    const got = new Promise((resolve) => stdout.once('data', (bytes) => resolve(String(bytes))));
    stdin.write(line);
    return await got;
  };
  return { ended, stdin, repeat };
}

async function pausedFor<T>(work: () => Promise<T>): Promise<T> {
  process.kill(mb.daemon.pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(mb.daemon.pid, 'SIGCONT');
  }
}

const stateOf = ({ operator }: TestMember) => operator.client.get('/1.0/instances/b1/state');

describe('a member whose process stands still', () => {
  it('delays requests little longer than its lease: their errors name it; events of the others go on', async () => {
    const command = await repeating();
    expect(await command.repeat('before\n')).toBe('before\n');
    const watch = await ma.operator.watch();
    const { client } = ma.operator;
    const push = { body: Readable.from([Buffer.alloc(BIG_BYTES)], { objectMode: false }) };
    await pausedFor(async () => {
      const began = performance.now();
      const requests = [
        stateOf(ma),
        client.change('PATCH', '/1.0/instances/b1', { json: { description: 'x' } }),
        client.change('POST', '/1.0/instances/b1/files?path=/big', push),
        command.ended,
      ];
      const failures = requests.map((each) => expect(each).rejects.toMatchObject(GONE));
      await ma.operator.patch('a1', { config: { 'user.a': '1' } });
      await watch.next('instance-updated a1');
      await Promise.all(failures);
      expect(performance.now() - began).toBeLessThan(LEASE_MS + EXPIRY_MS + STANDSTILL_MS);
      await ma.operator.patch('a1', { config: { 'user.a': '2' } });
      await watch.next('instance-updated a1');
      await expect(stateOf(ma)).rejects.toMatchObject({
        status: 503,
        message: expect.stringContaining('lease'),
      });
    });
    await until('mb is back', () =>
      stateOf(ma).then(
        () => true,
        () => false,
      ),
    );
    await mb.operator.patch('b1', { config: { 'user.b': '1' } });
    await watch.next('instance-updated b1');
    watch.close();
  });

  it('for less than its lease answers afterwards', async () => {
    const command = await repeating();
    const asked = await pausedFor(async () => {
      const answer = stateOf(ma);
      await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 2));
      return { answer };
    });
    expect(await asked.answer).toMatchObject({ status: 'Running' });
    expect(await command.repeat('still\n')).toBe('still\n');
    command.stdin.end();
    expect(await command.ended).toMatchObject({ code: 0 });
  });
});

describe('a member that only does not reach etcd', () => {
  it('keeps the requests that it carries out, also if they say nothing for long', async () => {
    const command = await repeating();
    way.cut();
    await shows(ma, 'mb', 'Offline');
    await new Promise((resolve) => setTimeout(resolve, 2 * STANDSTILL_MS));
    expect(await command.repeat('still\n')).toBe('still\n');
    way.mend();
    await shows(ma, 'mb', 'Online');
    command.stdin.end();
    expect(await command.ended).toMatchObject({ code: 0 });
  });
});
