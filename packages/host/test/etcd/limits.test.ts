import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';

let cluster: EtcdCluster;
let etcd: Etcd;

beforeAll(async () => {
  cluster = await EtcdCluster.start();
  etcd = openEtcd(cluster.options());
});

afterAll(async () => {
  etcd?.close();
  await cluster?.[Symbol.asyncDispose]();
});

const puts = (count: number, bytes = 1) =>
  Array.from({ length: count }, (_, at) => ({ put: { key: `n/${at}`, value: 'v'.repeat(bytes) } }));

describe('limits of etcd', () => {
  it('a transaction has at most 128 steps; a larger one changes nothing', async () => {
    await expect(etcd.txn({ compare: [], success: puts(129) })).rejects.toMatchObject({
      code: 'etcd-too-many-operations',
      status: 413,
    });
    expect((await etcd.range({ prefix: 'n/' })).count).toBe(0);
    expect((await etcd.txn({ compare: [], success: puts(128) })).succeeded).toBe(true);
    expect((await etcd.range({ prefix: 'n/', countOnly: true })).count).toBe(128);
  });

  it.each([1.5, 4])('a request has at most 1.5 MiB; one of %s MiB is refused as certain', async (mib) => {
    const write = { compare: [], success: puts(1, mib * 1024 * 1024) };
    await expect(etcd.txn(write)).rejects.toMatchObject({ code: 'etcd-too-large', status: 413 });
    expect((await etcd.txn({ compare: [], success: puts(1, 1.4 * 1024 * 1024) })).succeeded).toBe(true);
  });

  it('a revision that does not exist yet cannot be read', async () => {
    const { revision } = await etcd.range({ key: 'n/0' });
    const early = etcd.range({ key: 'n/0', revision: revision + 1000 });
    await expect(early).rejects.toMatchObject({ code: 'etcd-future-revision' });
  });

  it('two changes of one key in a transaction are refused', async () => {
    const twice = { compare: [], success: [...puts(1), ...puts(1)] };
    await expect(etcd.txn(twice)).rejects.toMatchObject({
      code: 'etcd-failed',
      message: expect.stringContaining('duplicate key'),
    });
  });
});

describe('limits of the client', () => {
  it('an answer of more than 32 MiB is refused, and is read in smaller pages', async () => {
    const value = 'v'.repeat(1.4 * 1024 * 1024);
    for (let at = 0; at < 18; at++)
      await etcd.txn({ compare: [], success: [{ put: { key: `large/${at}`, value } }] });
    await expect(etcd.range({ prefix: 'large/' })).rejects.toMatchObject({
      code: 'etcd-too-large',
      message: expect.stringContaining('the answer exceeds'),
    });
    let count = 0;
    for await (const { kvs } of etcd.pages({ prefix: 'large/' })) count += kvs.length;
    expect(count).toBe(18);
  });
});

describe('a full database', () => {
  it('refuses changes, and still answers reads', async () => {
    await using small = await EtcdCluster.start({ flags: ['--quota-backend-bytes=65536'] });
    const client = openEtcd(small.options());
    const fill = async () => {
      for (let at = 0; at < 1000; at++)
        await client.txn({ compare: [], success: [{ put: { key: `f/${at}`, value: 'v'.repeat(10_000) } }] });
    };
    await expect(fill()).rejects.toMatchObject({ code: 'etcd-no-space', status: 503 });
    expect((await client.range({ key: 'f/0' })).kvs).toHaveLength(1);
    client.close();
  });
});
