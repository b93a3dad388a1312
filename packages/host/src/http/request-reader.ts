import type { Request } from './application.ts';
import type { Limits } from './connection-limits.ts';
import type { HttpFailure } from './http-errors.ts';
import { hasBody, RequestBody } from './request-body.ts';
import type { RequestHead } from './request-head.ts';
import { RequestInput } from './request-input.ts';

/** Bytes of a body that one step looks at. Between two steps the owner of the reader may stop. */
const BODY_STEP_BYTES = 16 * 1024;
const NO_BODY = Buffer.alloc(0);

/**
 * The result of one step:
 * - a request
 * - `more`: it needs more bytes
 * - `goes-on`: another step can be made
 * - `continue`: the same, but the client waits to be asked for the body
 * - a failure: the fault of the request
 */
export type Reading = Request | 'more' | 'goes-on' | 'continue' | HttpFailure;

/** Reads the requests of one connection, one after another, in short steps. */
export class RequestReader {
  readonly #limits: Limits;
  readonly #keepsBody: (head: RequestHead) => boolean;
  readonly #input = new RequestInput();
  /** The head of the request whose body is being read. */
  #head: RequestHead | undefined;
  #body: RequestBody | undefined;

  /** @param keepsBody whether a body is worth keeping; others are counted and dropped */
  constructor(limits: Limits, keepsBody: (head: RequestHead) => boolean) {
    this.#limits = limits;
    this.#keepsBody = keepsBody;
  }

  /** Whether no byte of a request has come. */
  get silent(): boolean {
    return this.#input.length === 0 && this.#head === undefined;
  }

  /** Whether there are bytes that have not been parsed. */
  get holds(): boolean {
    return this.#input.length > 0;
  }

  /** Adds a piece. False: reading is not worth it yet. */
  append(piece: Buffer): boolean {
    if (this.#head === undefined && this.#input.length > 0)
      return this.#input.appendToHead(piece, this.#limits);
    this.#input.append(piece);
    return true;
  }

  /** One step forward. @param ended the client sends no more */
  read(ended: boolean): Reading {
    return this.#head === undefined ? this.#readHead(ended) : this.#readBody(this.#head, ended);
  }

  /** Takes out the bytes that have not been parsed, as a copy. */
  takeRest(): Buffer {
    const rest = Buffer.from(this.#input.view());
    this.clear();
    return rest;
  }

  clear(): void {
    this.#input.clear();
    this.#head = undefined;
    this.#body = undefined;
  }

  #readHead(ended: boolean): Reading {
    if (this.#input.length === 0) return 'more';
    const result = this.#input.readHead(this.#limits);
    if (result.kind === 'error') return result.error;
    if (result.kind === 'incomplete') return ended ? 'bad-request' : 'more';
    const { head } = result;
    if (head.expect === 'unknown' || !hasBody(head)) return { head, body: NO_BODY };
    this.#head = head;
    this.#body = new RequestBody(head, this.#keepsBody(head), this.#limits.bodyBytes);
    return head.expect === 'continue' && this.#input.length === 0 ? 'continue' : 'goes-on';
  }

  #readBody(head: RequestHead, ended: boolean): Reading {
    const body = this.#body!;
    const { progress, used } = body.push(this.#input.view().subarray(0, BODY_STEP_BYTES));
    this.#input.consume(used);
    if (progress === 'more') {
      if (this.#input.length > 0) return 'goes-on';
      // The client ended in the middle of the body: the handler gets the part that came. No request can
      // follow.
      if (!ended) return 'more';
    } else if (progress !== 'done') return progress;
    this.#head = undefined;
    this.#body = undefined;
    return { head, body: body.bytes() };
  }
}
