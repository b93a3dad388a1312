import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import type { EtcdNode } from '../../src/etcd/testing/etcd-node.ts';
import { until } from '../harness/api.ts';
import { watched } from './watched.ts';

let cluster: EtcdCluster;
let etcd: Etcd;
const clients: Etcd[] = [];
/** What brings each node back that a test has stopped. */
const repairs: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  cluster = await EtcdCluster.start({ nodes: 3 });
  etcd = openEtcd(cluster.options());
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await repair();
});

afterAll(async () => {
  etcd?.close();
  await cluster?.[Symbol.asyncDispose]();
});

async function repair(): Promise<void> {
  for (const each of repairs.splice(0)) await each();
  await change('repaired');
}

async function kill(node: EtcdNode): Promise<void> {
  await node.kill();
  repairs.push(() => {
    node.start();
    return node.ready();
  });
}

async function pause(node: EtcdNode): Promise<void> {
  await node.pause();
  repairs.push(() => node.resume());
}

async function change(value: string, client = etcd): Promise<number> {
  const { revision } = await client.txn(
    { compare: [], success: [{ put: { key: 'k', value } }] },
    { timeoutMs: 20_000 },
  );
  return revision;
}

async function valueAt(key: string): Promise<string | undefined> {
  return (await etcd.range({ key }, { timeoutMs: 20_000 })).kvs[0]?.value;
}

/** The node that leads, and another one. */
async function roles(): Promise<{ leader: EtcdNode; follower: EtcdNode; rest: EtcdNode }> {
  const { leader: id } = await etcd.status();
  const name = (await etcd.memberList()).find((each) => each.id === id)?.name;
  const leader = cluster.nodes.find((node) => node.name === name);
  const [follower, rest] = cluster.nodes.filter((node) => node !== leader);
  if (!leader || !follower || !rest) throw new Error('the leader is not known');
  return { leader, follower, rest };
}

function clientOf(...nodes: EtcdNode[]): Etcd {
  const client = openEtcd({ endpoints: nodes.map(({ endpoint }) => endpoint) });
  clients.push(client);
  return client;
}

describe('a killed node', () => {
  it('is passed over by reads and writes', async () => {
    const { follower, leader } = await roles();
    const client = clientOf(follower, leader);
    await change('before', client);
    await kill(follower);
    const revision = await change('after', client);
    expect((await client.range({ key: 'k' })).kvs).toMatchObject([{ value: 'after', modRevision: revision }]);
  });

  it('cuts its watches off, and another node goes on from the next revision', async () => {
    const { follower, leader } = await roles();
    const client = clientOf(follower, leader);
    const watch = await watched(client, 'k');
    expect(watch.endpoint).toBe(follower.endpoint);
    const seen = await change('seen');
    await watch.upTo(seen);
    await kill(follower);
    expect(await watch.ended).toMatchObject({ reason: 'cut-off', error: { code: 'etcd-unreachable' } });
    const missed = await change('missed');
    const next = await watched(client, 'k', { startRevision: seen + 1 });
    expect(next.endpoint).toBe(leader.endpoint);
    await next.upTo(missed);
    expect(next.batches).toMatchObject([{ revision: missed, events: [{ kv: { value: 'missed' } }] }]);
  });

  it('that led is replaced: a change waits for the election, and is made once', async () => {
    const { leader, follower, rest } = await roles();
    const client = clientOf(follower, rest);
    await change('before', client);
    await kill(leader);
    const outcome = await change('elected', client).catch((error) => error);
    // A change on its way when the leader died may be lost: then the answer is that nobody knows.
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'etcd-unknown' });
    else expect(await valueAt('k')).toBe('elected');
  });
});

describe('a node that stops without a word', () => {
  it('is noticed by its watches within the given time', async () => {
    const { follower } = await roles();
    const client = clientOf(follower);
    const watch = await watched(client, 'k', { silenceMs: 800 });
    await pause(follower);
    const since = performance.now();
    expect(await watch.ended).toMatchObject({
      reason: 'cut-off',
      error: { code: 'etcd-unreachable', message: expect.stringContaining('silent') },
    });
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  it('delays a read, which another node answers', async () => {
    const { follower, leader } = await roles();
    const client = clientOf(follower, leader);
    await client.range({ key: 'k' });
    await pause(follower);
    await change('read elsewhere', clientOf(leader));
    const { kvs } = await client.range({ key: 'k' }, { timeoutMs: 2_000 });
    expect(kvs).toMatchObject([{ value: 'read elsewhere' }]);
    const since = performance.now();
    await client.range({ key: 'k' });
    expect(performance.now() - since).toBeLessThan(500);
  });

  it('leaves a write unknown, which is not sent again', async () => {
    const { follower, leader } = await roles();
    const client = clientOf(follower, leader);
    await client.range({ key: 'k' });
    await pause(follower);
    await expectUnknown(client, follower);
  });
});

/** Makes a change that cannot be answered: it may be made, but not twice. */
async function expectUnknown(client: Etcd, node: EtcdNode): Promise<void> {
  const key = `unknown/${node.name}/${node.pid}`;
  const write = { compare: [], success: [{ put: { key, value: 'once' } }] };
  await expect(client.txn(write, { timeoutMs: 500 })).rejects.toMatchObject({
    code: 'etcd-unknown',
    status: 503,
    message: expect.stringContaining(node.endpoint),
  });
  await repair();
  expect([0, 1]).toContain((await etcd.range({ key })).kvs[0]?.version ?? 0);
}

describe('a node without a quorum', () => {
  it('that still leads leaves a write unknown', async () => {
    const { leader, follower, rest } = await roles();
    const client = clientOf(leader);
    await client.range({ key: 'k' });
    await pause(follower);
    await pause(rest);
    await expectUnknown(client, leader);
  });

  it('refuses reads and writes with one sentence, and changes nothing', async () => {
    const { leader, follower, rest } = await roles();
    const client = clientOf(follower);
    const kept = await change('kept', client);
    await kill(leader);
    await kill(rest);
    const refused = { code: 'etcd-no-leader', status: 503 };
    await until('the node knows that it has no leader', async () => {
      const error = await client.range({ key: 'k' }, { timeoutMs: 300 }).catch((thrown) => thrown);
      return error.code === 'etcd-no-leader';
    });
    const write = { compare: [], success: [{ put: { key: 'k', value: 'lost' } }] };
    await expect(client.txn(write, { timeoutMs: 500 })).rejects.toMatchObject(refused);
    await expect(client.range({ key: 'k' }, { timeoutMs: 500 })).rejects.toMatchObject(refused);
    expect((await client.range({ key: 'k', serializable: true }).catch((error) => error)).code).toBe(
      'etcd-no-leader',
    );
    await repair();
    expect((await client.range({ key: 'k', revision: kept })).kvs).toMatchObject([{ value: 'kept' }]);
    const seen = await watched(client, 'k', { startRevision: kept });
    await seen.upTo(await change('last'));
    expect(seen.batches.map(({ events }) => events[0]?.kv.value)).not.toContain('lost');
  });

  it('cuts its watches off', async () => {
    const { leader, follower, rest } = await roles();
    const client = clientOf(follower);
    const watch = await watched(client, 'k');
    await kill(leader);
    await kill(rest);
    // etcd ends the stream, in most cases without a reason.
    expect(await watch.ended).toMatchObject({ reason: 'cut-off' });
  });
});

describe('endpoints', () => {
  it('that all refuse are named with their reasons', async () => {
    const endpoints = ['http://127.77.0.1:2379', 'http://127.77.0.2:2379'];
    const client = openEtcd({ endpoints });
    await expect(client.status()).rejects.toMatchObject({
      code: 'etcd-unreachable',
      message: `etcd cannot be reached at ${endpoints.join(', ')}: nothing listens there`,
    });
  });

  it('that are not etcd are passed over', async () => {
    const { follower } = await roles();
    const peer = follower.endpoint.replace('2379', '2380');
    const client = openEtcd({ endpoints: [peer, follower.endpoint] });
    expect((await client.status()).version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
