import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { EtcdCluster } from '../../src/etcd/testing/etcd-cluster.ts';
import { watched } from './watched.ts';

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

describe('a lease', () => {
  it('keeps its keys while it is kept alive, and takes them with it when it is revoked', async () => {
    const lease = await etcd.grant(60);
    await etcd.txn({
      compare: [{ key: 'l/1', is: '=', lease: '0' }],
      success: [{ put: { key: 'l/1', value: 'x', lease } }],
    });
    expect(await etcd.keepAlive(lease)).toBe(60);
    expect(await etcd.timeToLive(lease)).toMatchObject({ grantedTtl: 60, keys: ['l/1'] });
    expect((await etcd.range({ key: 'l/1' })).kvs).toMatchObject([{ lease }]);
    await etcd.revoke(lease);
    await etcd.revoke(lease);
    expect((await etcd.range({ key: 'l/1' })).kvs).toEqual([]);
  });

  it('that is gone is told as such, and refuses a put', async () => {
    const lease = await etcd.grant(60);
    await etcd.revoke(lease);
    expect(await etcd.keepAlive(lease)).toBe(0);
    expect(await etcd.timeToLive(lease)).toEqual({ ttl: 0, grantedTtl: 0, keys: [] });
    const write = { compare: [], success: [{ put: { key: 'l/2', value: 'x', lease } }] };
    await expect(etcd.txn(write)).rejects.toMatchObject({
      code: 'etcd-failed',
      message: expect.stringContaining('requested lease not found'),
    });
  });

  it('ends by itself, and watches are told', async () => {
    const watch = await watched(etcd, 'l/3');
    const lease = await etcd.grant(1);
    const { revision } = await etcd.txn({
      compare: [],
      success: [{ put: { key: 'l/3', value: 'x', lease } }],
    });
    await watch.upTo(revision + 1);
    expect(watch.batches[1]?.events).toMatchObject([{ type: 'delete', kv: { key: 'l/3' } }]);
    expect(await etcd.keepAlive(lease)).toBe(0);
    watch.close();
  });
});
