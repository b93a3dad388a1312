import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HostServer } from '../../packages/host/src/host/server.ts';
import { type Answer, readAnswers, signatureOf } from '../answers.ts';
import { exchange } from '../exchange.ts';
import { makeRequest, mutateRequests } from '../http-mutate.ts';
import { cutsFor, piecesOf } from '../mutate.ts';
import type { Random } from '../random.ts';
import { readRequests } from '../requests.ts';
import { type Case, mustHold, type Target, type TargetKind } from '../target.ts';
import { WatchedLog } from '../watched-log.ts';
import { FreshBackend } from './fresh-backend.ts';
import { HOST_WORDS } from './host-words.ts';

/** Requests to the host API. */
export const HOST: TargetKind = {
  name: 'host',
  shortCases: 300,
  open: () => HostTarget.open(),
  make: makeHostCase,
};

function makeHostCase(random: Random, corpus: readonly Case[]): Case {
  const other = random.pick(corpus)?.bytes ?? makeRequest(random, HOST_WORDS);
  const bytes = random.percent(30)
    ? makeRequest(random, HOST_WORDS)
    : mutateRequests(random.pick(corpus)?.bytes ?? other, random, other, HOST_WORDS);
  return { bytes, cuts: random.percent(20) ? cutsFor(bytes.length, random) : [] };
}

class HostTarget implements Target {
  readonly #folder: string;
  readonly #path: string;
  readonly #backend: FreshBackend;
  readonly #server: HostServer;
  readonly #log = new WatchedLog();

  private constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'unix.socket');
    this.#backend = new FreshBackend(folder);
    this.#server = new HostServer(this.#backend, { log: this.#log });
  }

  static async open(): Promise<HostTarget> {
    const target = new HostTarget(await mkdtemp('/var/tmp/porthole-fuzz-'));
    await target.#server.listen(target.#path);
    return target;
  }

  async run({ bytes, cuts }: Case): Promise<string> {
    this.#backend.renew();
    const before = this.#backend.state();
    const { received, cutShort } = await exchange(this.#path, piecesOf(bytes, cuts));
    // Lets the daemon handle the end of the connection.
    await nextTurn();
    await nextTurn();
    this.#log.mustBeQuiet();
    if (cutShort || received === '') return 'nothing';
    const { requests, rest } = readRequests(bytes.toString('latin1'));
    const known = rest !== 'nothing' && bytes.includes('HEAD');
    const { answers } = readAnswers(
      received,
      requests.map(({ method }) => method),
      known,
    );
    for (const [index, answer] of answers.entries()) checkAnswer(answer, requests[index]?.method ?? '');
    // With several requests, one may have been carried out although the connection ended before its answer.
    if (requests.length === 1 && rest === 'nothing' && answers[0]!.status >= 400) {
      mustHold(this.#backend.state() === before, 'a request that is refused changes something', received);
    }
    return signatureOf(answers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#backend.renew();
    await this.#server.stop(0);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Statuses that Node's server answers by itself, without a body and without asking the daemon. */
const BEFORE_US: ReadonlySet<number> = new Set([400, 417]);
const ENVELOPE = ['type', 'status', 'status_code', 'operation', 'error_code', 'error', 'metadata']
  .sort()
  .join();

function checkAnswer({ status, headers, body }: Answer, method: string): void {
  mustHold(status !== 500, 'a 500', body);
  if (status < 200 || (BEFORE_US.has(status) && body === '') || method === 'HEAD') return;
  const isJson = headers.get('content-type') === 'application/json';
  mustHold(isJson || status < 400, 'an error without an envelope', body);
  if (!isJson) return;
  const envelope = JSON.parse(body) as Record<string, unknown>;
  mustHold(Object.keys(envelope).sort().join() === ENVELOPE, 'an envelope of another shape', body);
  if (status < 400) {
    mustHold(['sync', 'async'].includes(String(envelope['type'])), 'success of no type', body);
    return;
  }
  const { type, error_code: code, error } = envelope;
  const isError = type === 'error' && code === status && typeof error === 'string' && error !== '';
  mustHold(isError, 'an envelope that is no error', body);
}
