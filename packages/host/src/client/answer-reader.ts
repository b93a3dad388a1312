import { ApiError } from './client-errors.ts';

/** The answer to a request, read to its end. */
export interface PlainAnswer {
  readonly status: number;
  /** The words after the status. */
  readonly reason: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

type Head = Omit<PlainAnswer, 'body'>;

/** As in `node:http`. */
const HEAD_BYTES_MAX = 16 * 1024;
/** Answers are objects and lists in JSON; a longer one cannot be from the daemon. */
export const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const START = 'HTTP/1.';
const HEAD_END = '\r\n\r\n';
/** Statuses of answers that have no body. */
const NO_BODY: readonly number[] = [204, 304];
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/;

/** Collects the bytes of one answer of HTTP/1 without chunks. */
export class AnswerReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #head: Head | undefined;
  readonly #method: string;

  /** @param method of the request */
  constructor(method: string) {
    this.#method = method;
  }

  /**
   * Takes the next bytes.
   * @returns the answer as soon as it is complete
   * @throws Error with the code HPE_INVALID when this is not HTTP; ApiError when it is too long
   */
  push(chunk: Buffer): PlainAnswer | undefined {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > ANSWER_BYTES_MAX) throw new ApiError(0, `The answer exceeds ${ANSWER_BYTES_MAX} bytes`);
    this.#head ??= this.#takeHead();
    return this.#head && this.#size >= this.#lengthOf(this.#head) ? this.#answer(this.#head) : undefined;
  }

  /**
   * Takes the end of the connection.
   * @throws Error with the code ECONNRESET when a part of the answer is missing
   */
  end(): PlainAnswer {
    if (!this.#head || this.#lengthOf(this.#head) !== Number.POSITIVE_INFINITY)
      throw failure('ECONNRESET', 'the connection ended before the answer');
    return this.#answer(this.#head);
  }

  /** The head, once it is complete; its bytes are no longer in the chunks then. */
  #takeHead(): Head | undefined {
    const bytes = Buffer.concat(this.#chunks);
    // Another program may greet, and then wait for us.
    if (!START.startsWith(bytes.toString('latin1', 0, START.length)))
      throw failure('HPE_INVALID', 'the answer is not HTTP');
    const end = bytes.indexOf(HEAD_END);
    if (end > HEAD_BYTES_MAX || (end === -1 && bytes.length > HEAD_BYTES_MAX))
      throw failure('HPE_INVALID', 'the head of the answer is too long');
    if (end === -1) return undefined;
    this.#chunks = [bytes.subarray(end + HEAD_END.length)];
    this.#size = bytes.length - end - HEAD_END.length;
    return parseHead(bytes.toString('latin1', 0, end));
  }

  #answer(head: Head): PlainAnswer {
    const length = this.#lengthOf(head);
    return { ...head, body: Buffer.concat(this.#chunks, Math.min(length, this.#size)) };
  }

  /** Bytes of the body; infinite when the end of the connection tells. */
  #lengthOf({ status, headers }: Head): number {
    if (this.#method === 'HEAD' || NO_BODY.includes(status)) return 0;
    const length = headers['content-length'];
    if (length === undefined) return Number.POSITIVE_INFINITY;
    if (!/^\d+$/.test(length)) throw failure('HPE_INVALID', 'the length is not a number');
    return Number(length);
  }
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, status, reason = ''] = STATUS_LINE.exec(first) ?? [];
  if (status === undefined) throw failure('HPE_INVALID', 'no line with a status');
  const headers = lines.map((line) => {
    const at = line.indexOf(':');
    if (at < 1) throw failure('HPE_INVALID', 'a header without a name');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
  });
  return { status: Number(status), reason, headers: Object.fromEntries(headers) };
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
