import { CodedError } from '../../base/coded-error.ts';
import type { Etcd } from '../../etcd/client.ts';
import { pagesOf } from '../../etcd/pages.ts';
import type { KeyValue } from '../../etcd/requests.ts';

/** How often all is read: etcd may compact the revision while its pages are read. */
const ATTEMPTS_MAX = 3;

/** All keys with a prefix, as they were at one revision, in pages. */
export async function loadAll(etcd: Etcd, prefix: string): Promise<{ kvs: KeyValue[]; revision: number }> {
  for (let attempt = 1; ; attempt++) {
    const kvs: KeyValue[] = [];
    let revision = 0;
    try {
      for await (const page of pagesOf(etcd, { prefix })) {
        for (const kv of page.kvs) kvs.push(kv);
        revision = page.revision;
      }
      return { kvs, revision };
    } catch (error) {
      const isPassing = error instanceof CodedError && error.code === 'etcd-compacted';
      if (!isPassing || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
