import type { GuestJson } from '../../../guest/src/wire.ts';
import type { Position } from '../core/position.ts';
import type { GuestView } from '../core/view.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { GuestErrorCode } from './guest-errors.ts';

/** What a handler may know of a request. */
export interface GuestRequest {
  readonly head: RequestHead;
  readonly body: Buffer;
  /** The decoded variable segment of the path; empty for a route without one. */
  readonly variable: string;
}

/** What a handler decides. Kinds that need more than bytes are carried out by the performer. */
export type GuestReply =
  | { readonly kind: 'json'; readonly value: GuestJson; readonly etag?: string }
  | { readonly kind: 'raw'; readonly value: string; readonly etag?: string }
  | { readonly kind: 'not-modified'; readonly etag: string }
  | WaitReply
  | RefuseReply
  | { readonly kind: 'refuse-image'; readonly code: GuestErrorCode }
  | { readonly kind: 'set-ready'; readonly ready: boolean }
  /** null takes the key away. */
  | { readonly kind: 'write-key'; readonly key: string; readonly value: string | null }
  | { readonly kind: 'export-image'; readonly fingerprint: string }
  | StreamReply
  | {
      readonly kind: 'list-events';
      readonly types: ReadonlySet<string>;
      readonly since: Position;
      readonly limit: number;
    };

export interface StreamReply {
  readonly kind: 'stream-events';
  readonly types: ReadonlySet<string>;
  readonly websocket: boolean;
  /** Absent: from now on, in LXD's form, without sequence numbers. */
  readonly since?: Position;
}

/** The value is the one that the request knows: it is answered when it is another one, or the time is over. */
export interface WaitReply {
  readonly kind: 'wait';
  readonly etag: string;
  readonly seconds: number;
}

export interface RefuseReply {
  readonly kind: 'refuse';
  readonly code: GuestErrorCode;
  /** Stands for the `%s` of the error's text. */
  readonly value?: string;
  /** Ends the connection too. */
  readonly close?: boolean;
}

/** A pure function: one instance's view and a request in, a decision out. */
export type Handler = (view: GuestView, request: GuestRequest) => GuestReply;

/** A refusal by its code. */
export function refuse(code: GuestErrorCode, value?: string): RefuseReply {
  return value === undefined ? { kind: 'refuse', code } : { kind: 'refuse', code, value };
}
