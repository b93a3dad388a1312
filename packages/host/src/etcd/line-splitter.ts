import { Failure } from './failure.ts';

/**
 * A longer line is refused. etcd splits events into messages of about the size of its largest request (1.5 MiB by
 * default); one event with the value before it, in base64, is about three times as large as its value.
 */
const LINE_BYTES_MAX = 16 * 1024 * 1024;

const LF = 0x0a;

/** Splits a stream into lines. */
export class LineSplitter {
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(bytesMax = LINE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Adds bytes. @returns the lines that they complete, without their ends @throws Failure */
  add(bytes: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      this.#keep(bytes.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#bytesMax)
      throw new Failure('etcd-too-large', `a message exceeds ${this.#bytesMax} bytes`);
    this.#parts.push(part);
  }

  #take(): string {
    const [first] = this.#parts;
    const line = first && this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return line.toString('utf8');
  }
}
