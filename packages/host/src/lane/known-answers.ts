import type { Caller } from '../core/caller.ts';
import type { GuestView } from '../core/view.ts';
import { decide } from '../guest/decide.ts';
import { plainAnswer } from '../guest/plain-answer.ts';
import { latin1 } from '../http/bytes.ts';
import { failureAnswer } from '../http/http-errors.ts';
import { ownAnswer } from '../http/own-answers.ts';
import { hasBody } from '../http/request-body.ts';
import { type HeadLimits, parseHead, type RequestHead } from '../http/request-head.ts';
import { dateSecondNow, type TextReply, textAnswer } from '../http/response.ts';
import { KNOWN_ANSWER_MAX, KNOWN_CHARACTERS_MAX, KNOWN_HEAD_MAX } from './lane-limits.ts';

/** A request that the lane can answer, with its answer. */
export interface Answered {
  /** Bytes of the request. */
  readonly length: number;
  readonly text: string;
  /** Bytes of `text`. */
  readonly bytes: number;
  /** Whether the connection ends after the answer. */
  readonly close: boolean;
  /** The second in the answer's `Date`. */
  readonly second: number;
  readonly head: RequestHead;
}

const NO_BODY = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Answers for one group of callers. The parser and the handlers are those of the main server, so the answers
 * are the same too. The answer to a head is remembered under the exact bytes of that head, until the view
 * changes. So a request that was seen before costs one look-up, and requests of other groups cannot evict it.
 */
export class KnownAnswers {
  readonly #caller: Caller;
  readonly #view: () => GuestView | undefined;
  readonly #known = new Map<string, Answered>();
  #characters = 0;

  constructor(caller: Caller, view: () => GuestView | undefined) {
    this.#caller = caller;
    this.#view = view;
  }

  /** The answer to the request at `start`; undefined when the request is incomplete, or not for the lane. */
  find(bytes: Buffer, start: number, end: number, limits: HeadLimits): Answered | undefined {
    const known = this.#lookUp(bytes, start, end) ?? this.#lookUp(bytes, start, headEndOf(bytes, start, end));
    if (known !== undefined && known.second === dateSecondNow()) return known;
    const answered = known === undefined ? this.#read(bytes, start, end, limits) : this.#answer(known);
    if (answered !== undefined) this.#remember(bytes, start, answered);
    return answered;
  }

  /**
   * The last answer to a request that is not for the lane, for callers that are never handed over. It waits
   * neither for a body nor for the rest of a head.
   */
  lastAnswer(bytes: Buffer, start: number, end: number, limits: HeadLimits): string {
    const result = parseHead(bytes.subarray(0, end), start, limits);
    if (result.kind === 'error') return failureAnswer(result.error);
    if (result.kind !== 'head') return failureAnswer('bad-request');
    const reply = this.#reply(result.head);
    return reply === undefined ? failureAnswer('bad-request') : textAnswer(result.head, reply, false);
  }

  /** Characters of all remembered heads and answers. */
  get characters(): number {
    return this.#characters;
  }

  clear(): void {
    // Clearing an empty map makes a new one all the same, and thousands of views may change at once.
    if (this.#known.size === 0) return;
    this.#known.clear();
    this.#characters = 0;
  }

  /** Finds a head that was once read from exactly these bytes: bytes after them do not change its meaning. */
  #lookUp(bytes: Buffer, start: number, end: number): Answered | undefined {
    const length = end - start;
    return length > 0 && length <= KNOWN_HEAD_MAX ? this.#known.get(latin1(bytes, start, end)) : undefined;
  }

  #read(bytes: Buffer, start: number, end: number, limits: HeadLimits): Answered | undefined {
    const result = parseHead(bytes.subarray(0, end), start, limits);
    if (result.kind !== 'head' || hasBody(result.head) || result.head.expect !== 'nothing') return undefined;
    return this.#answer({ head: result.head, length: result.next - start });
  }

  #answer({ head, length }: Pick<Answered, 'head' | 'length'>): Answered | undefined {
    const reply = this.#reply(head);
    if (reply === undefined) return undefined;
    const keepAlive = head.keepAlive && reply.close !== true;
    const second = dateSecondNow();
    const text = textAnswer(head, reply, keepAlive);
    return { head, length, text, bytes: Buffer.byteLength(text), close: !keepAlive, second };
  }

  #reply(head: RequestHead): TextReply | undefined {
    return ownAnswer(head) ?? plainAnswer(decide(this.#caller, { head, body: NO_BODY }, this.#view));
  }

  #remember(bytes: Buffer, start: number, answered: Answered): void {
    const { length, text } = answered;
    if (length > KNOWN_HEAD_MAX || text.length > KNOWN_ANSWER_MAX) return;
    const head = latin1(bytes, start, start + length);
    const before = this.#known.get(head);
    const more = length + text.length - (before === undefined ? 0 : before.length + before.text.length);
    if (this.#characters + more > KNOWN_CHARACTERS_MAX) this.clear();
    if (this.#known.size === 0) this.#characters = length + text.length;
    else this.#characters += more;
    this.#known.set(head, answered);
  }
}

/**
 * The position after the first empty line in `start`..`end`, as nearly all clients write it; 0 if there is
 * none. Bytes after `end` are left from other connections.
 */
function headEndOf(bytes: Buffer, start: number, end: number): number {
  const found = bytes.indexOf(HEAD_END, start) + HEAD_END.length;
  return found > start && found <= end ? found : 0;
}
