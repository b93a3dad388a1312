import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Log } from '../base/log.ts';
import type { UploadPart } from '../images/upload.ts';
import type { Requestor } from '../model/events.ts';
import type { Operation } from '../model/operation.ts';
import type { HostBackend } from './backend.ts';
import type { ExecTable } from './exec-table.ts';
import type { Forwards } from './forwards.ts';
import type { LogStreams } from './log-streams.ts';

/** The parts of the daemon that handlers use. */
export interface Edge {
  readonly backend: HostBackend;
  /** Settles when it is known whether an instance runs; without a name, when it is known of all of them. */
  recognised(name?: string): Promise<void>;
  /** Names of the host's bridges, sorted; read once for all that ask at the same time. @throws runtime-failed */
  bridges(): Promise<readonly string[]>;
  readonly execs: ExecTable;
  readonly logs: LogStreams;
  readonly forwards: Forwards;
  readonly log: Log;
}

/** A request as handlers see it. */
export interface Call {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The query as it was sent: a path in it need not be UTF-8. */
  readonly rawQuery: string;
  readonly headers: IncomingHttpHeaders;
  readonly by: Requestor;
  /** The member that has sent it; undefined for an operator of this host. */
  readonly sender: string | undefined;
  /** Reads the body as JSON. @throws CodedError 400 when it is not JSON, 413 when it is too large */
  json(): Promise<unknown>;
  /** The bytes of the body, if it has been read as JSON; undefined if it is still to be read. */
  bytes(): Buffer | undefined;
  /** The body as it comes in. */
  readonly body: Readable;
  /** The files of a multipart body, in order, each to be read to its end before the next. */
  parts(): AsyncIterable<UploadPart>;
}

/** The answer of a handler. */
export type Answer =
  | {
      readonly kind: 'sync';
      readonly metadata: unknown;
      readonly etag?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A long list that exists: the JSON text of each item. */
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** A synchronous creation: 201 with the new object's path. */
  | { readonly kind: 'created'; readonly location: string }
  | { readonly kind: 'operation'; readonly operation: Operation }
  /** A download. */
  | {
      readonly kind: 'raw';
      readonly headers: Readonly<Record<string, string | number>>;
      readonly data: Readable;
    };

export type Handler = (edge: Edge, call: Call) => Answer | Promise<Answer>;

/** A value that exists; with its ETag if it can be edited. */
export function sync(metadata: unknown, etag?: string): Answer {
  return etag === undefined ? { kind: 'sync', metadata } : { kind: 'sync', metadata, etag };
}

/** Success without a value. */
export function done(): Answer {
  return { kind: 'sync', metadata: {} };
}

/** Success of a synchronous creation. */
export function created(location: string): Answer {
  return { kind: 'created', location };
}

/** The start of an operation. */
export function started(operation: Operation): Answer {
  return { kind: 'operation', operation };
}

/** A parameter of the path; the route table guarantees that it is there. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}

/** The `recursion` argument: 0 when absent or unreadable. */
export function recursionOf(call: Call): number {
  return Number.parseInt(call.query.get('recursion') ?? '0', 10) || 0;
}

/** The If-Match header. */
export function ifMatch(call: Call): string | undefined {
  return call.headers['if-match'];
}

/** The URL of an object in a collection. */
export function urlOf(collection: string, name: string): string {
  return `${collection}/${encodeURIComponent(name)}`;
}

/** What `location` says of everything on this host. */
export function locationIn({ fleet }: Pick<HostBackend, 'fleet'>): string {
  return fleet === null ? 'none' : fleet.own;
}
