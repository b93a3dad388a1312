import type { Socket } from 'node:net';
import type { EndReason } from '../base/sockets.ts';
import type { RequestHead } from './request-head.ts';

/** The answer to one request. Header blocks are whole lines, each with its CRLF, in the order sent. */
export type Reply = TextReply | StreamReply | HijackReply | HeldReply;

/** An answer that is complete. */
export interface TextReply {
  readonly kind: 'text';
  readonly status: number;
  /** Without `Date` and `Connection`, and without `Content-Length` unless `unmeasured`. */
  readonly headers: string;
  /** Sent as UTF-8; left out in the answer to a HEAD. */
  readonly body: string;
  /** Ends the connection after the answer. */
  readonly close?: boolean;
  /** Adds no `Content-Length`: it is in `headers`, or the status has no body (304). */
  readonly unmeasured?: boolean;
}

/** An answer read from files. `finish` is called once in any case; `sent` tells whether all was sent. */
export interface StreamReply {
  readonly kind: 'stream';
  readonly status: number;
  /** With `Content-Length`, unless `chunked`. */
  readonly headers: string;
  /** The length is not known: chunked on HTTP/1.1, up to the end of the connection on HTTP/1.0. */
  readonly chunked: boolean;
  readonly parts: readonly BodyPart[];
  readonly finish: (sent: boolean) => void;
}

/** Bytes in memory, or a stretch of a file. */
export type BodyPart =
  | string
  | { readonly source: ByteSource; readonly start: number; readonly length: number };

/** The source of a big answer's bytes; a `FileHandle` is one. */
export interface ByteSource {
  /**
   * Sends a stretch itself, on a socket on which nothing else is written meanwhile; undefined if it cannot.
   * `cut` stops the sending at once.
   */
  readonly send?:
    | ((socket: number, start: number, length: number) => { sent: Promise<void>; cut: () => void })
    | undefined;
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
}

/** An answer that waits for something. The connection is read meanwhile. */
export interface HeldReply {
  readonly kind: 'held';
  readonly answer: Promise<Reply>;
  /** Makes the answer come at once, with its current content; may be called often. */
  readonly release: () => void;
}

/** The connection stops being HTTP. */
export interface HijackReply {
  readonly kind: 'hijack';
  /**
   * Takes over the socket. Gets the bytes that were already read after the request, and whether the client
   * has closed its side.
   */
  readonly take: (socket: Socket, rest: Buffer, ended: boolean) => Hijacker;
}

export interface Hijacker {
  /** Ends the connection from the server's side. */
  close(reason: EndReason): void;
}

/** Reason phrases of the statuses that are sent; those of RFC 9110 as LXD spells them. */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  206: 'Partial Content',
  301: 'Moved Permanently',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  410: 'Gone',
  412: 'Precondition Failed',
  416: 'Requested Range Not Satisfiable',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** The complete answer as one text: status line, headers in LXD's order, body. */
export function textAnswer(head: RequestHead, reply: TextReply, keepAlive: boolean): string {
  const length = reply.unmeasured === true ? '' : `Content-Length: ${Buffer.byteLength(reply.body)}\r\n`;
  const body = head.method === 'HEAD' ? '' : reply.body;
  return `${statusLine(head, reply.status)}${reply.headers}Date: ${httpDate()}\r\n${length}${connectionLine(head, keepAlive)}\r\n${body}`;
}

/** Status line and headers of a streamed answer, and whether its body has to be chunked. */
export function streamAnswerHead(
  head: RequestHead,
  reply: StreamReply,
  keepAlive: boolean,
): { readonly text: string; readonly chunked: boolean } {
  const chunked = reply.chunked && head.minor === 1 && head.method !== 'HEAD';
  const encoding = chunked ? 'Transfer-Encoding: chunked\r\n' : '';
  const text = `${statusLine(head, reply.status)}${reply.headers}Date: ${httpDate()}\r\n${connectionLine(head, keepAlive)}${encoding}\r\n`;
  return { text, chunked };
}

/** A header block from names and values, in the given order. */
export function headerBlock(headers: Readonly<Record<string, string | number>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

function statusLine(head: RequestHead, status: number): string {
  return `HTTP/1.${head.minor} ${status} ${REASONS[status] ?? ''}\r\n`;
}

/** HTTP/1.1 announces that the connection ends, HTTP/1.0 that it stays. */
function connectionLine(head: RequestHead, keepAlive: boolean): string {
  if (head.minor === 1) return keepAlive ? '' : 'Connection: close\r\n';
  return keepAlive ? 'Connection: keep-alive\r\n' : '';
}

let dateSecond = -1;
let dateText = '';

/** The current second, as in a `Date` header. */
export function dateSecondNow(): number {
  return Math.floor(Date.now() / 1000);
}

/** The current time as HTTP writes it; the text is made once a second. */
function httpDate(): string {
  const second = dateSecondNow();
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
