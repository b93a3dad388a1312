import type { ClientRequest, IncomingMessage } from 'node:http';
import { connectionFailure } from './connection-failures.ts';
import { eventOf, numberOf, revisionOf } from './decode.ts';
import { PROGRESS_REQUEST, TAKEN_REQUEST, watchJson } from './encode.ts';
import { type AttemptLimits, type Endpoint, readAll } from './endpoint.ts';
import { Failure } from './failure.ts';
import type { StreamedJson, WatchJson } from './gateway-json.ts';
import { LineSplitter } from './line-splitter.ts';
import { readJson } from './read-json.ts';
import { refusalOf, refusalOfAnswer } from './refusals.ts';
import { RevisionBatches } from './revision-batches.ts';
import type { Watch, WatchEnd, WatchRequest } from './watch-types.ts';

/** How long etcd may be silent before a watch ends, if the request does not say it. */
const SILENCE_MS = 6_000;

/** Requests for a sign of life that go without an answer. */
const PROBES = 3;

/** One stream of etcd's gateway, with one watch. */
export class WatchStream implements Watch {
  readonly endpoint: string;
  readonly #request: WatchRequest;
  readonly #connection: ClientRequest;
  readonly #onEnd: (stream: WatchStream, end: WatchEnd) => void;
  readonly #lines = new LineSplitter();
  readonly #batches: RevisionBatches;
  readonly #created = Promise.withResolvers<void>();
  #createdRevision: number | undefined;
  #isOver = false;
  #isHeard = true;
  #silentFor = 0;
  readonly #probes: NodeJS.Timeout;
  readonly #abort = () => this.close();

  private constructor(
    endpoint: string,
    request: WatchRequest,
    connection: ClientRequest,
    onEnd: (stream: WatchStream, end: WatchEnd) => void,
  ) {
    this.endpoint = endpoint;
    this.#request = request;
    this.#connection = connection;
    this.#onEnd = onEnd;
    this.#batches = new RevisionBatches((events, revision) => {
      if (!this.#isOver) request.onEvents(events, revision);
    });
    request.signal?.addEventListener('abort', this.#abort);
    this.#probes = setInterval(() => this.#probe(), (request.silenceMs ?? SILENCE_MS) / (PROBES + 1));
  }

  /**
   * Opens a stream at an endpoint, and waits until etcd has acknowledged the watch.
   * @throws Failure
   */
  static open(
    endpoint: Endpoint,
    { request, token }: { readonly request: WatchRequest; readonly token: string | undefined },
    limits: AttemptLimits,
    onEnd: (stream: WatchStream, end: WatchEnd) => void,
  ): Promise<WatchStream> {
    const body = `${JSON.stringify(watchJson(request))}\n`;
    const post = { path: '/v3/watch', body, token, stays: true };
    return endpoint.open(post, limits, async (answer, connection) => {
      if (answer.statusCode !== 200) throw refusalOfAnswer(answer.statusCode ?? 0, await readAll(answer));
      const stream = new WatchStream(endpoint.at, request, connection, onEnd);
      stream.#read(answer);
      await stream.#created.promise;
      return stream;
    });
  }

  get createdRevision(): number {
    return this.#createdRevision ?? 0;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  close(): void {
    this.#end({ reason: 'closed' });
  }

  #read(answer: IncomingMessage): void {
    answer.on('data', (bytes: Buffer) => {
      this.#isHeard = true;
      try {
        for (const line of this.#lines.add(bytes)) this.#take(readJson<StreamedJson<WatchJson>>(line));
      } catch (error) {
        if (error instanceof Failure) this.#fail(error);
        else if (error instanceof SyntaxError)
          this.#fail(new Failure('etcd-failed', 'this is no JSON object'));
        else throw error;
      }
    });
    const cut = (error: Error) => this.#fail(connectionFailure(error, true));
    answer.on('error', cut);
    this.#connection.on('error', cut);
    answer.on('close', () =>
      this.#fail(new Failure('etcd-unreachable', 'the stream ended', { elsewhere: true })),
    );
  }

  #take({ result, error }: StreamedJson<WatchJson>): void {
    if (this.#isOver) return;
    if (error) throw refusalOf(error.message ?? 'no reason given', error.grpc_code ?? error.code);
    if (!result) return;
    // Before 3.4.25 and 3.5.8, etcd may answer a request for progress before it has sent the events up to that
    // revision, so the answer is only a sign of life. What etcd says by itself, with the watch's id, is in order.
    if (this.#createdRevision !== undefined && result.watch_id === '-1') return;
    if (result.canceled) throw this.#cancelled(result);
    if (result.created) {
      this.#createdRevision = revisionOf(result);
      this.#created.resolve();
    } else if (result.events) this.#batches.add(result.events.map(eventOf), result.fragment ?? false);
    else this.#request.onProgress?.(revisionOf(result));
  }

  #cancelled({ compact_revision, cancel_reason }: WatchJson): Failure {
    if (compact_revision === undefined) {
      const refusal = refusalOf(cancel_reason ?? 'the watch was cancelled', 0);
      // For a watch, some versions of etcd say the same of a token that has ended.
      const isRetried = refusal.code === 'etcd-permission' && this.#createdRevision === undefined;
      return isRetried ? new Failure(refusal.code, refusal.message, { staleToken: true }) : refusal;
    }
    this.#end({ reason: 'compacted', revision: numberOf(compact_revision) });
    return new Failure('etcd-compacted', `revisions before ${compact_revision} are gone`);
  }

  /**
   * Counts turns instead of time: if the main thread was held up, what has arrived meanwhile is read first.
   *
   * etcd answers no request for progress while it catches up with old revisions, and 3.4.25 to 3.4.30 and 3.5.8 to
   * 3.5.12 never do if it found no event there. Then the second request gets the sign of life.
   */
  #probe(): void {
    this.#silentFor = this.#isHeard ? 0 : this.#silentFor + 1;
    this.#isHeard = false;
    if (this.#silentFor >= PROBES)
      this.#fail(new Failure('etcd-unreachable', 'the connection is silent', { elsewhere: true }));
    else this.#connection.write(this.#silentFor === 0 ? PROGRESS_REQUEST : TAKEN_REQUEST);
  }

  #fail(failure: Failure): void {
    const error = failure.toError(this.endpoint);
    const isPassing = failure.means.elsewhere || failure.means.staleToken;
    this.#end({ reason: isPassing ? 'cut-off' : 'refused', error }, failure);
  }

  #end(end: WatchEnd, failure = new Failure('etcd-unreachable', 'the watch was closed')): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#probes);
    this.#request.signal?.removeEventListener('abort', this.#abort);
    this.#connection.destroy();
    if (this.#createdRevision === undefined) this.#created.reject(failure);
    else this.#onEnd(this, end);
  }
}
