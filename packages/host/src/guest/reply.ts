import type { GuestJson } from '../../../guest/src/wire.ts';
import type { Position } from '../core/position.ts';
import type { GuestView } from '../core/view.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { GuestErrorCode } from './guest-errors.ts';

/** The parts of a request that a handler gets. */
export interface GuestRequest {
  readonly head: RequestHead;
  readonly body: Buffer;
  /** The decoded variable segment of the path; empty for a route without one. */
  readonly variable: string;
}

/** The decision of a handler. The performer carries out the kinds that need more than a text answer. */
export type GuestReply =
  | { readonly kind: 'json'; readonly value: GuestJson; readonly etag?: string }
  | { readonly kind: 'raw'; readonly value: string; readonly etag?: string }
  | { readonly kind: 'not-modified'; readonly etag: string }
  | WaitReply
  | RefuseReply
  | { readonly kind: 'refuse-image'; readonly code: GuestErrorCode }
  | { readonly kind: 'set-ready'; readonly ready: boolean }
  /** null removes the key. */
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
  /** Undefined: only new events, in LXD's form, without sequence numbers. */
  readonly since?: Position;
}

/** The request already has the current value. It is answered when the value changes or the time is over. */
export interface WaitReply {
  readonly kind: 'wait';
  readonly etag: string;
  readonly seconds: number;
}

export interface RefuseReply {
  readonly kind: 'refuse';
  readonly code: GuestErrorCode;
  /** Replaces `%s` in the error's text. */
  readonly value?: string;
  /** Ends the connection after the answer. */
  readonly close?: boolean;
}

/** A pure function that makes a decision from the view of one instance and a request. */
export type Handler = (view: GuestView, request: GuestRequest) => GuestReply;

export function refuse(code: GuestErrorCode, value?: string): RefuseReply {
  return value === undefined ? { kind: 'refuse', code } : { kind: 'refuse', code, value };
}
