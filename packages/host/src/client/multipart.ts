import { FormError, readForm } from '../../../guest/src/multipart.ts';
import { ApiError } from './client-errors.ts';

/** A file of a multipart body. */
export interface Part {
  /** As the daemon names it, but without folders: it is not trusted, and must not lead out of a folder. */
  readonly filename: string;
  /** Must be read to its end before the next part is asked for. */
  readonly data: AsyncIterable<Buffer>;
}

/**
 * The files of a multipart body, one after the other, never a whole one in memory.
 * @throws ApiError when it breaks off
 */
export async function* readParts(body: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  for await (const { head, data } of told(readForm(body, boundary)))
    yield { filename: filenameOf(head), data: told(data) };
}

/** The last part of the name in a Content-Disposition; empty when there is none. */
export function filenameOf(disposition: string): string {
  const name = /filename="?([^";\r\n]+)/.exec(disposition)?.[1] ?? '';
  return name.split('/').at(-1) ?? '';
}

/** Passes items on, and turns an early end into an error of this client. */
async function* told<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw error instanceof FormError ? new ApiError(0, 'The answer breaks off') : error;
  }
}
