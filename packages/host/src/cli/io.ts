import type { Readable, Writable } from 'node:stream';
import { printable } from '../base/printable.ts';

/** A stream that may lead to a terminal. */
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};
export type Input = Readable & { readonly isTTY?: boolean };

/** Writes text for people. Control characters from guests are shown as text: a terminal never obeys them. */
export function say(output: Output, text: string): void {
  output.write(printable(text));
}

/** Writes a value unchanged, for programs; for a terminal control characters are replaced. */
export function give(output: Output, value: string): void {
  if (output.isTTY) say(output, value);
  else output.write(value);
}

/**
 * Writes why something failed. Further lines are indented: a guest's text cannot pass for a line of porthole.
 */
export function sayError(output: Output, message: string): void {
  say(output, `Error: ${message.replaceAll('\n', '\n  ')}\n`);
}

/** All that the command line uses of its process. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Puts the terminal on standard input into raw mode; returns a function that undoes this. */
  makeRaw(): () => void;
  /** Calls back for each signal of that name; returns a function that ends this. */
  onSignal(name: NodeJS.Signals, listener: () => void): () => void;
}

/** Reads standard input to its end, as text. */
export async function readAll(input: Input): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input as AsyncIterable<Buffer | string>)
    chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}
