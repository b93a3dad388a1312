import { setTimeout as wait } from 'node:timers/promises';
import type { FaultSpan, Revision } from '../check/fleet/record.ts';
import { nowMs } from './time.ts';

interface WatchedEvent {
  readonly type?: 'DELETE';
  readonly kv: { readonly key: string; readonly value?: string; readonly mod_revision: string };
}

interface WatchLine {
  readonly result?: {
    readonly canceled?: boolean;
    readonly compact_revision?: string;
    readonly header?: { readonly revision: string };
    readonly events?: readonly WatchedEvent[];
  };
}

const AGAIN_MS = 300;
const ANSWER_MS = 2_000;
/** Longer than a slow answer takes. */
const OUTAGE_MS = 1_000;
const CATCH_UP_MS = 60_000;

/**
 * Sees all that happens in etcd, by a watch of its own at each node, from the first revision on. No cut reaches it. It
 * shares no code with the daemon.
 */
export class Witness implements Disposable {
  /** When no node of etcd answered: after a fault it takes its nodes a while to agree on a leader. */
  readonly outages: FaultSpan[] = [];
  /** Contradictions in what it has seen. */
  readonly found: string[] = [];
  readonly #endpoints: readonly string[];
  readonly #prefix: string;
  readonly #revisions = new Map<number, Revision>();
  readonly #end = new AbortController();
  /** All revisions with changes up to this one are known. */
  #known = 0;

  constructor(endpoints: readonly string[], prefix: string) {
    this.#endpoints = endpoints;
    this.#prefix = prefix;
    for (const endpoint of endpoints) void this.#watch(endpoint);
    void this.#lookOut();
  }

  get known(): number {
    return this.#known;
  }

  get history(): readonly Revision[] {
    return [...this.#revisions.values()].sort((one, other) => one.revision - other.revision);
  }

  /** Waits until it knows all up to now. @returns the revision of now */
  async catchUp(): Promise<number> {
    const { header } = await this.#ask('kv/range', { key: b64(this.#prefix) });
    const revision = Number(header?.revision);
    const until = nowMs() + CATCH_UP_MS;
    while (this.#known < revision) {
      if (nowMs() > until) throw new Error(`the witness knows etcd only up to ${this.#known} of ${revision}`);
      await wait(AGAIN_MS);
    }
    return revision;
  }

  /** Lets etcd forget all up to a revision that the witness knows. @returns whether etcd has done it */
  async compact(revision: number): Promise<boolean> {
    try {
      await this.#ask('kv/compaction', { revision: String(Math.min(revision, this.#known)), physical: true });
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#end.abort();
  }

  /** Notes when etcd does not answer questions for which it needs a leader. */
  async #lookOut(): Promise<void> {
    const { signal } = this.#end;
    let last = nowMs();
    while (!signal.aborted) {
      const asked = this.#endpoints.map((endpoint) =>
        post(`${endpoint}/v3/kv/range`, { key: b64(this.#prefix) }),
      );
      const isThere = await Promise.any(asked).then(
        () => true,
        () => false,
      );
      const now = nowMs();
      if (isThere && now - last > OUTAGE_MS)
        this.outages.push({ kind: 'etcd does not answer', hosts: ['etcd'], begin: last, end: now });
      if (isThere) last = now;
      await wait(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #watch(endpoint: string): Promise<void> {
    let next = 1;
    const { signal } = this.#end;
    while (!signal.aborted) {
      try {
        for await (const line of this.#lines(endpoint, next)) {
          const { result } = JSON.parse(line) as WatchLine;
          this.#take(result?.events ?? []);
          const last = result?.events?.at(-1)?.kv.mod_revision ?? 0;
          next = Math.max(next, Number(last) + 1, Number(result?.compact_revision ?? 0));
          this.#known = Math.max(this.#known, next - 1);
        }
      } catch {}
      await wait(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  async *#lines(endpoint: string, start: number): AsyncIterable<string> {
    const create = {
      key: b64(this.#prefix),
      range_end: b64(endOf(this.#prefix)),
      start_revision: String(start),
    };
    const response = await fetch(`${endpoint}/v3/watch`, {
      method: 'POST',
      body: JSON.stringify({ create_request: create }),
      signal: this.#end.signal,
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      yield* lines;
    }
  }

  #take(events: readonly WatchedEvent[]): void {
    const byRevision = Map.groupBy(events, ({ kv }) => Number(kv.mod_revision));
    for (const [revision, changed] of byRevision) {
      const puts = changed.map(({ type, kv }): [string, string | null] => [
        text(kv.key).slice(this.#prefix.length),
        type === 'DELETE' ? null : text(kv.value ?? ''),
      ]);
      const before = this.#revisions.get(revision);
      if (before && JSON.stringify(before.puts) !== JSON.stringify(puts))
        this.found.push(`the nodes of etcd do not agree about revision ${revision}`);
      this.#revisions.set(revision, { revision, puts });
    }
  }

  /** Asks one node after the other. */
  async #ask(what: string, body: object): Promise<Answer> {
    let last: unknown;
    for (const endpoint of this.#endpoints) {
      try {
        return await post(`${endpoint}/v3/${what}`, body);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }
}

interface Answer {
  readonly header?: { readonly revision: string };
}

/** @throws Error if there is no answer in time, or a refusal */
async function post(url: string, body: object): Promise<Answer> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Answer;
}

const b64 = (value: string) => Buffer.from(value).toString('base64');
const text = (value: string) => Buffer.from(value, 'base64').toString();

/** The first key after all that begin with a prefix. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
