import { setTimeout as sleep } from 'node:timers/promises';
import { type AttemptLimits, Endpoint, type TlsFiles } from './endpoint.ts';
import { etcdError } from './etcd-errors.ts';
import { Failure, mergeFailures } from './failure.ts';
import type { CallOptions } from './requests.ts';

/** Pause before all endpoints are tried again, as while a leader is elected. */
const PAUSE_MS = 100;

/** The default time of a request, with all its attempts: longer than an election, which takes 1 to 2 s. */
const TIMEOUT_MS = 5_000;

/** One attempt at one endpoint. @throws Failure */
export type Attempt<T> = (endpoint: Endpoint, limits: AttemptLimits) => Promise<T>;

/** How often a request may be sent: one that changes something only once, if etcd may have carried it out. */
export type Repeats = 'repeatable' | 'once';

/** The endpoints. The one that has answered last is asked first. */
export class Endpoints {
  readonly #all: readonly Endpoint[];
  readonly #timeoutMs: number;
  #current = 0;
  #isClosed = false;

  constructor(urls: readonly string[], tls: TlsFiles, timeoutMs = TIMEOUT_MS) {
    this.#all = urls.map((url) => new Endpoint(url, tls));
    this.#timeoutMs = timeoutMs;
  }

  /** Tries the endpoints in turn until one has answered. @throws CodedError */
  async ask<T>(
    repeats: Repeats,
    attempt: Attempt<T>,
    { timeoutMs = this.#timeoutMs, signal }: CallOptions = {},
  ): Promise<T> {
    const end = performance.now() + timeoutMs;
    const failures = new Map<string, Failure>();
    for (;;) {
      const found = await this.#round(repeats, attempt, { end, signal, failures });
      if (found) return found.answer;
      const isPassing = failures.values().some(({ means }) => means.passing);
      if (!isPassing || performance.now() + PAUSE_MS >= end || signal?.aborted)
        throw mergeFailures([...failures]);
      await sleep(PAUSE_MS);
    }
  }

  async #round<T>(
    repeats: Repeats,
    attempt: Attempt<T>,
    { end, signal, failures }: Round,
  ): Promise<{ answer: T } | undefined> {
    const first = this.#current;
    for (let tried = 0; tried < this.#all.length; tried++) {
      const index = (first + tried) % this.#all.length;
      const endpoint = this.#all[index] as Endpoint;
      if (this.#isClosed) throw etcdError('etcd-unreachable', endpoint.at, 'the client is closed');
      const leftMs = Math.max(1, end - performance.now());
      const shareMs = leftMs / (this.#all.length - tried);
      const limits = { connectMs: shareMs, answerMs: repeats === 'once' ? leftMs : shareMs, signal };
      try {
        const answer = await attempt(endpoint, limits);
        this.#current = index;
        return { answer };
      } catch (error) {
        const failure = failureOf(error, endpoint, repeats);
        this.leave(endpoint);
        // The last attempts have little time: what an endpoint has said before tells more than their silence.
        if (failure.code !== 'etcd-unreachable' || !failures.has(endpoint.at))
          failures.set(endpoint.at, failure);
      }
    }
    return undefined;
  }

  /** The next request goes to another endpoint. */
  leave(endpoint: Endpoint): void {
    if (this.#all[this.#current] === endpoint) this.#current = (this.#current + 1) % this.#all.length;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    for (const endpoint of this.#all) endpoint.close();
  }
}

interface Round {
  /** On the clock of `performance.now()`. */
  readonly end: number;
  readonly signal: AbortSignal | undefined;
  /** Filled with what went wrong at each endpoint. */
  readonly failures: Map<string, Failure>;
}

/** @throws CodedError if no other endpoint may be tried */
function failureOf(error: unknown, { at }: Endpoint, repeats: Repeats): Failure {
  if (!(error instanceof Failure)) throw error;
  if (repeats === 'once' && error.means.mayBeDone) throw etcdError('etcd-unknown', at, error.message);
  if (!error.means.elsewhere) throw error.toError(at);
  return error;
}
