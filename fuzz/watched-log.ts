import type { Log } from '../packages/host/src/base/log.ts';
import { Finding } from './target.ts';

/** A log that remembers the first error; only a defect logs an error. */
export class WatchedLog implements Log {
  #first: Finding | undefined;

  debug(): void {}
  info(): void {}
  warn(): void {}

  error(fields: object, message: string): void {
    this.#first ??= new Finding(`the log has an error: ${message}`, JSON.stringify(fields, withErrors));
  }

  child(): Log {
    return this;
  }

  /** @throws Finding for the first error since the last call */
  mustBeQuiet(): void {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) throw first;
  }
}

function withErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.stack : value;
}
