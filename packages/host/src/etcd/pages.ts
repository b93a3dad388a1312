import { CodedError } from '../base/coded-error.ts';
import type { Etcd } from './client.ts';
import type { Keys, KeyValue } from './requests.ts';

/**
 * Keys of a page. etcd goes through all keys that are left for each page, so that few pages are better; parsing a page
 * of this size takes about 10 ms.
 */
const PAGE_KEYS = 5_000;

/** By this a page is divided that was too large for one answer. */
const SHRINK = 4;

/** A part of many keys; `revision` is the same for all parts. */
export interface Page {
  readonly kvs: readonly KeyValue[];
  readonly revision: number;
}

/**
 * Reads many keys, in order, as they were at one revision. Pages become smaller if the values are large.
 * @param revision without it, the revision of now
 */
export async function* pagesOf(
  etcd: Pick<Etcd, 'range'>,
  keys: Keys,
  revision?: number,
  pageKeys: number = PAGE_KEYS,
): AsyncGenerator<Page, void> {
  let limit = pageKeys;
  let after: string | undefined;
  let at = revision;
  for (;;) {
    const request = {
      ...keys,
      limit,
      ...(after !== undefined && { after }),
      ...(at !== undefined && { revision: at }),
    };
    const page = await etcd.range(request).catch((error) => refuseUnlessSmaller(error, limit));
    if (page) {
      at ??= page.revision;
      yield { kvs: page.kvs, revision: at };
      if (!page.more) return;
      after = page.kvs.at(-1)?.key;
    } else limit = Math.ceil(limit / SHRINK);
  }
}

function refuseUnlessSmaller(error: unknown, limit: number): undefined {
  if (limit > 1 && error instanceof CodedError && error.code === 'etcd-too-large') return undefined;
  throw error;
}
