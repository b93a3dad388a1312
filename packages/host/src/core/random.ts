import { randomBytes, randomUUID } from 'node:crypto';

/** The source of random values; passed in, so that the code that uses it can be tested. */
export interface Random {
  /** A version 4 uuid in lower case. */
  uuid(): string;
  bytes(count: number): Uint8Array;
}

/** Random values from the operating system. */
export const systemRandom: Random = { uuid: () => randomUUID(), bytes: (count) => randomBytes(count) };
