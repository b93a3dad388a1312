import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Etcd, openEtcd } from '../../src/etcd/client.ts';
import { pagesOf } from '../../src/etcd/pages.ts';
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

const put = (key: string, value: string) => ({ put: { key, value } });

describe('a transaction', () => {
  it('writes when its compares hold, and says the revision that it made', async () => {
    const first = await etcd.txn({
      compare: [{ key: 'a/1', is: '=', modRevision: 0 }],
      success: [put('a/1', 'größe'), put('a/2', '')],
    });
    expect(first).toMatchObject({ succeeded: true, responses: [{ put: {} }, { put: {} }] });
    const read = await etcd.range({ prefix: 'a/' });
    const revisions = { createRevision: first.revision, modRevision: first.revision, version: 1, lease: '0' };
    expect(read).toEqual({
      kvs: [
        { key: 'a/1', value: 'größe', ...revisions },
        { key: 'a/2', value: '', ...revisions },
      ],
      more: false,
      count: 2,
      revision: first.revision,
    });
  });

  it('carries out its other steps when one compare does not hold', async () => {
    const { revision } = await etcd.txn({ compare: [], success: [put('b', '1')] });
    const answer = await etcd.txn({
      compare: [
        { key: 'b', is: '=', modRevision: revision },
        { key: 'b', is: '>', version: 1 },
      ],
      success: [put('b', '2')],
      failure: [{ range: { key: 'b' } }],
    });
    expect(answer.succeeded).toBe(false);
    expect(answer.responses).toMatchObject([{ range: { kvs: [{ key: 'b', value: '1' }], revision } }]);
    expect(answer.revision).toBe(revision);
  });
});

describe('pages', () => {
  it('are all of one revision, while keys change', async () => {
    for (let from = 0; from < 1000; from += 100)
      await etcd.txn({
        compare: [],
        success: Array.from({ length: 100 }, (_, at) => put(`p/${from + at}`, 'before')),
      });
    const values = new Set<string>();
    const keys = new Set<string>();
    for await (const { kvs } of pagesOf(etcd, { prefix: 'p/' }, undefined, 90)) {
      for (const { key, value } of kvs) {
        keys.add(key);
        values.add(value);
      }
      await etcd.txn({ compare: [], success: [put('p/999', 'after'), put('p/9990', 'new')] });
    }
    expect(keys.size).toBe(1000);
    expect([...values]).toEqual(['before']);
  });
});
