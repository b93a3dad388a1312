import { randomBytes, randomUUID } from 'node:crypto';

/** Where random values come from; handed in, so that rules stay pure. */
export interface Random {
  /** A version 4 uuid in lower case. */
  uuid(): string;
  bytes(count: number): Uint8Array;
}

/** The kernel's randomness. */
export const systemRandom: Random = { uuid: () => randomUUID(), bytes: (count) => randomBytes(count) };
