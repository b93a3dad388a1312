import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { FleetMember } from '../../src/store/etcd/testing/fleet-member.ts';
import { type Fate, TcpProxy } from '../../src/store/etcd/testing/tcp-proxy.ts';
import { textOf } from '../../src/store/testing/replica.ts';
import { sampleProfile } from '../../src/store/testing/samples.ts';

let cluster: EtcdCluster;
let proxy: TcpProxy;
/** Reaches etcd through the proxy. */
let a: FleetMember;
/** Reaches etcd directly. */
let b: FleetMember;
let fleets = 0;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
});
afterAll(() => cluster[Symbol.asyncDispose]());

beforeEach(async () => {
  const prefix = `/faults${++fleets}/`;
  proxy = await TcpProxy.open(cluster.endpoints[0] ?? '');
  b = await FleetMember.join('b', prefix, cluster.options());
  a = await FleetMember.join('a', prefix, cluster.options({ endpoints: [proxy.endpoint] }));
});
afterEach(async () => {
  await proxy.restore();
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const put = (name: string, value = '') => ({
  kind: 'put-profile' as const,
  profile: sampleProfile(name, value),
});
const cutOff = { code: 'fleet-cut-off', status: 503 };

/** Each commit of a member meets one fate after the other. */
function commitsMeet(...fates: Fate[]): void {
  const key = Buffer.from(a.keys.commits('a')).toString('base64');
  proxy.fate = (text) => (text.includes(key) ? (fates.shift() ?? 'pass') : 'pass');
}

/** How often a profile was written in etcd. */
async function writes(name: string): Promise<number> {
  const { kvs } = await b.etcd.range({ key: `${b.keys.prefix}profiles/${name}` });
  return kvs[0]?.version ?? 0;
}

async function agree(): Promise<void> {
  const { state } = await b.store.load();
  for (const { replica } of [a, b]) await replica.until(() => textOf(replica.state) === textOf(state));
}

describe('a member with a bad way to etcd', () => {
  it('commits in order on a slow way, and keeps its lease', async () => {
    proxy.delayMs = 200;
    await Promise.all([a.replica.commit([put('one')]), a.replica.commit([put('two')])]);
    await b.replica.commit([put('three')]);
    await agree();
    expect(a.told).toEqual([true]);
    expect([...a.replica.applied.values()]).toEqual([1, 1]);
  });

  it('makes a change once, whose answer is lost', async () => {
    commitsMeet('lose-answer');
    await a.replica.commit([put('p')]);
    expect([...a.replica.applied.values()]).toEqual([1]);
    expect(await writes('p')).toBe(1);
    await agree();
  });

  it('makes a change once, whose request is lost', async () => {
    commitsMeet('lose-request');
    await a.replica.commit([put('p')]);
    expect([...a.replica.applied.values()]).toEqual([1]);
    expect(await writes('p')).toBe(1);
    await agree();
  });

  it('makes a change once, whose request arrives when it has been given up and tried again', async () => {
    commitsMeet('hold');
    await a.replica.commit([put('p')]);
    expect(proxy.heldCount).toBe(1);
    proxy.fate = () => 'pass';
    proxy.release();
    // etcd has taken the late request by now, because it takes requests of one after the other's answer.
    for (let each = 0; each < 5; each++) await a.replica.commit([put('q', String(each))]);
    await agree();
    expect(await writes('p')).toBe(1);
    expect(
      a.replica.told.filter(({ changes }) =>
        changes.some((change) => change.kind === 'put-profile' && change.profile.name === 'p'),
      ),
    ).toHaveLength(1);
  });

  it('never makes a change that it has given up, also when its request arrives later', async () => {
    commitsMeet('hold', 'lose-request', 'lose-request', 'lose-request', 'lose-request');
    await expect(a.replica.commit([put('p')])).rejects.toMatchObject(cutOff);
    expect(proxy.heldCount).toBe(1);
    proxy.release();
    for (let each = 0; each < 5; each++) await a.replica.commit([put('q', String(each))]);
    await agree();
    expect(await writes('p')).toBe(0);
    expect([...a.replica.applied.values()]).toEqual([0, 1, 1, 1, 1, 1]);
  });

  it.each([
    ['lose-answer', 'applies the change'],
    ['lose-request', 'forgets the change'],
  ] as const)(
    'does not know the outcome when it is cut off (%s), and %s when it reaches etcd again',
    async (fate, _then) => {
      commitsMeet(fate);
      const { fate: itsFate } = proxy;
      // The watch tells nothing of it either.
      proxy.fate = (text) => {
        const met = itsFate(text);
        if (met !== 'pass') proxy.mute();
        return met;
      };
      proxy.onLoss = () => proxy.cut();
      const lost = a.replica.commit([put('p')]);
      await expect(lost).rejects.toMatchObject({ code: 'fleet-outcome-unknown', status: 503 });
      const times = fate === 'lose-answer' ? 1 : 0;
      expect(await writes('p')).toBe(times);
      expect([...a.replica.applied.values()]).toEqual([0]);
      await proxy.restore();
      await a.alive();
      await a.replica.commit([put('next')]);
      await agree();
      // Who has committed it has been told of a failure, so it comes as a change of others does.
      expect([...a.replica.applied.values()]).toEqual([0, 1]);
      const ofProfiles = a.replica.told.filter(({ changes }) =>
        changes.some(({ kind }) => kind === 'put-profile'),
      );
      expect(ofProfiles.map(({ isOwn }) => isOwn)).toEqual([...Array(times).fill(false), true]);
      expect(await writes('p')).toBe(times);
    },
    60_000,
  );

  it('refuses changes at once when it has lost its lease, and catches up without doubling or losing one', async () => {
    await a.replica.commit([put('before')]);
    await agree();
    proxy.cut();
    await a.alive(false);
    const start = performance.now();
    await expect(a.replica.commit([put('p')])).rejects.toMatchObject(cutOff);
    expect(performance.now() - start).toBeLessThan(500);
    expect(a.replica.state.profiles.has('before')).toBe(true);
    for (let each = 0; each < 10; each++) await b.replica.commit([put('while-away', String(each))]);
    await proxy.restore();
    await a.alive();
    await agree();
    const values = a.replica.told.flatMap(({ changes }) =>
      changes.flatMap((change) =>
        change.kind === 'put-profile' && change.profile.name === 'while-away'
          ? [change.profile.config['user.value']]
          : [],
      ),
    );
    expect(values).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    await a.replica.commit([put('after')]);
    await agree();
    expect(a.told).toEqual([true, false, true]);
  }, 60_000);

  it('fails before it believes to have no lease, if etcd refuses connections', async () => {
    await proxy.refuse();
    // The client learns that its kept connections have ended.
    await expect(a.etcd.range({ key: 'x' }, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'etcd-unreachable',
    });
    expect(a.lease.fence()).not.toBeNull();
    await expect(a.replica.commit([put('p')])).rejects.toMatchObject(cutOff);
    expect(await writes('p')).toBe(0);
  }, 60_000);

  it('gives up its lease before etcd does, on a silent way', async () => {
    const gone = Promise.withResolvers<number>();
    await b.etcd.watch({
      key: a.keys.alive('a'),
      onEvents: ([event]) => event?.type === 'delete' && gone.resolve(performance.now()),
      onEnd: () => {},
    });
    const start = performance.now();
    proxy.silence();
    await a.alive(false);
    const givenUp = performance.now();
    expect(givenUp - start).toBeLessThanOrEqual(5_000);
    expect(await gone.promise).toBeGreaterThan(givenUp);
  }, 60_000);
});
