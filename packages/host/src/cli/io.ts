import type { Readable, Writable } from 'node:stream';
import { printable } from '../base/printable.ts';

/** A stream that may lead to a terminal. */
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};
export type Input = Readable & { readonly isTTY?: boolean };

/** Writes text for people. What guests have put into it is shown, never obeyed by a terminal. */
export function say(output: Output, text: string): void {
  output.write(printable(text));
}

/** Writes a value as it is, for programs; a terminal gets it as text. */
export function give(output: Output, value: string): void {
  if (output.isTTY) say(output, value);
  else output.write(value);
}

/** Writes why something failed. What follows its first line is set in: it cannot pass for a line of ours. */
export function sayError(output: Output, message: string): void {
  say(output, `Error: ${message.replaceAll('\n', '\n  ')}\n`);
}

/** All that the command line touches of the process it runs in. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hands the terminal on standard input over to somebody else; returns the function that takes it back. */
  makeRaw(): () => void;
  /** Calls back for each signal of that name; returns the function that ends it. */
  onSignal(name: NodeJS.Signals, listener: () => void): () => void;
}

/** Reads standard input to its end, as text. */
export async function readAll(input: Input): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input as AsyncIterable<Buffer | string>)
    chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}
