import { CodedError } from '../base/coded-error.ts';
import { leaseTimeOf, memberOf, numberOf, rangeAnswerOf, statusOf, txnAnswerOf } from './decode.ts';
import { rangeJson, txnJson } from './encode.ts';
import type { TlsFiles } from './endpoint.ts';
import { type Attempt, Endpoints, type Repeats } from './endpoints.ts';
import { Failure } from './failure.ts';
import type { LeaseJson, MemberJson, StreamedJson, TxnJson } from './gateway-json.ts';
import { type Credentials, Login } from './login.ts';
import { type Page, pagesOf } from './pages.ts';
import { readJson } from './read-json.ts';
import { refusalOf } from './refusals.ts';
import type {
  CallOptions,
  Keys,
  LeaseTime,
  Member,
  RangeAnswer,
  RangeRequest,
  Status,
  TxnAnswer,
  TxnRequest,
} from './requests.ts';
import { WatchStream } from './watch.ts';
import type { Watch, WatchRequest } from './watch-types.ts';

/** How etcd is reached. */
export interface EtcdOptions {
  /** URLs such as `https://etcd-1:2379`, one or more; all `http` or all `https`. */
  readonly endpoints: readonly string[];
  /** PEM texts. Without `ca`, Node's own authorities are trusted. */
  readonly tls?: TlsFiles;
  readonly login?: Credentials;
  /** The limit of a request that names none; 5 s by default. */
  readonly timeoutMs?: number;
}

/** A client of etcd v3. Every method throws CodedErrors of `etcd-errors.ts`. */
export interface Etcd {
  range(request: RangeRequest, options?: CallOptions): Promise<RangeAnswer>;
  /** Reads many keys, in order and in pages, as they were at one revision: by default that of now. */
  pages(keys: Keys, revision?: number): AsyncIterable<Page>;
  /** Not repeated when its answer is lost: `etcd-unknown` says so. */
  txn(request: TxnRequest, options?: CallOptions): Promise<TxnAnswer>;
  /** @returns the lease's id */
  grant(ttlSeconds: number, options?: CallOptions): Promise<string>;
  /** @returns seconds that it now has; 0 if it is gone */
  keepAlive(lease: string, options?: CallOptions): Promise<number>;
  /** Removes the lease and its keys; harmless if it is gone. */
  revoke(lease: string, options?: CallOptions): Promise<void>;
  timeToLive(lease: string, options?: CallOptions): Promise<LeaseTime>;
  /** Resolves when etcd has acknowledged the watch. */
  watch(request: WatchRequest): Promise<Watch>;
  /** State of the endpoint that is in use. */
  status(options?: CallOptions): Promise<Status>;
  memberList(options?: CallOptions): Promise<readonly Member[]>;
  /** Forgets all states before this revision; harmless if that has been done. */
  compact(revision: number, options?: CallOptions): Promise<void>;
  /** Ends all watches and connections. */
  close(): void;
}

/** Opens a client; it connects with its first request. */
export function openEtcd(options: EtcdOptions): Etcd {
  return new GatewayClient(options);
}

/** The paths of the gateway are those of etcd 3.4 and later. */
class GatewayClient implements Etcd {
  readonly #endpoints: Endpoints;
  readonly #login: Login;
  readonly #watches = new Set<WatchStream>();

  constructor({ endpoints, tls = {}, login, timeoutMs }: EtcdOptions) {
    this.#endpoints = new Endpoints(endpoints, tls, timeoutMs);
    this.#login = new Login(login);
  }

  async range(request: RangeRequest, options?: CallOptions): Promise<RangeAnswer> {
    return rangeAnswerOf(await this.#read('/v3/kv/range', rangeJson(request), options));
  }

  pages(keys: Keys, revision?: number): AsyncIterable<Page> {
    return pagesOf(this, keys, revision);
  }

  async txn(request: TxnRequest, options?: CallOptions): Promise<TxnAnswer> {
    const isRead = [...request.success, ...(request.failure ?? [])].every((each) => 'range' in each);
    const repeats = isRead ? 'repeatable' : 'once';
    return txnAnswerOf(await this.#ask<TxnJson>('/v3/kv/txn', txnJson(request), repeats, options));
  }

  /** Repeatable: a lease that nobody knows ends by itself. */
  async grant(ttlSeconds: number, options?: CallOptions): Promise<string> {
    const lease = await this.#read<LeaseJson>('/v3/lease/grant', { TTL: ttlSeconds }, options);
    return lease.ID ?? '0';
  }

  async keepAlive(lease: string, options?: CallOptions): Promise<number> {
    const json = await this.#read<StreamedJson<LeaseJson>>('/v3/lease/keepalive', { ID: lease }, options);
    return numberOf(json.result?.TTL);
  }

  async revoke(lease: string, options?: CallOptions): Promise<void> {
    await this.#read('/v3/lease/revoke', { ID: lease }, options).catch(unless('requested lease not found'));
  }

  async timeToLive(lease: string, options?: CallOptions): Promise<LeaseTime> {
    return leaseTimeOf(await this.#read('/v3/lease/timetolive', { ID: lease, keys: true }, options));
  }

  async watch(request: WatchRequest): Promise<Watch> {
    const stream = await this.#endpoints.ask(
      'repeatable',
      (endpoint, limits) =>
        this.#login.with(endpoint, limits, (token) =>
          WatchStream.open(endpoint, { request, token }, limits, (ended, end) => {
            this.#watches.delete(ended);
            if (end.reason === 'cut-off') this.#endpoints.leave(endpoint);
            request.onEnd(end);
          }),
        ),
      request.signal && { signal: request.signal },
    );
    if (!stream.isOver) this.#watches.add(stream);
    if (this.#endpoints.isClosed) stream.close();
    return stream;
  }

  async status(options?: CallOptions): Promise<Status> {
    return statusOf(await this.#read('/v3/maintenance/status', {}, options));
  }

  async memberList(options?: CallOptions): Promise<readonly Member[]> {
    const json = await this.#read<{ members?: readonly MemberJson[] }>(
      '/v3/cluster/member/list',
      {},
      options,
    );
    return (json.members ?? []).map(memberOf);
  }

  async compact(revision: number, options?: CallOptions): Promise<void> {
    const json = { revision, physical: false };
    await this.#read('/v3/kv/compaction', json, options).catch(unless('has been compacted'));
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
    this.#endpoints.close();
  }

  #read<T>(path: string, json: object, options?: CallOptions): Promise<T> {
    return this.#ask(path, json, 'repeatable', options);
  }

  async #ask<T>(path: string, json: object, repeats: Repeats, options?: CallOptions): Promise<T> {
    const body = JSON.stringify(json);
    const attempt: Attempt<T> = (endpoint, limits) =>
      this.#login.with(endpoint, limits, async (token) =>
        parsed<T>(await endpoint.post({ path, body, token }, limits)),
      );
    return this.#endpoints.ask(repeats, attempt, options);
  }
}

/** @throws Failure */
function parsed<T>(answer: string): T {
  let json: StreamedJson<unknown>;
  try {
    json = readJson(answer);
  } catch {
    throw new Failure('etcd-failed', 'this is no JSON object', { mayBeDone: true, elsewhere: true });
  }
  const { error } = json;
  if (error) throw refusalOf(error.message ?? 'no reason given', error.grpc_code ?? error.code);
  return json as T;
}

/** A refusal that says that there was nothing to do. */
function unless(text: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof CodedError && error.message.includes(text))) throw error;
  };
}
