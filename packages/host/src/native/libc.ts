import { promisify } from 'node:util';
import koffi from 'koffi';

/** The C library of this process. Every native call of Porthole goes through this file. */
const libc = koffi.load(null);

/** Declares a function of the C library by its prototype. */
export function declare(prototype: string): (...args: unknown[]) => number {
  return libc.func(prototype) as unknown as (...args: unknown[]) => number;
}

/** A failed system call: `code`, such as `ENOENT`, and the name of the call. */
export class SystemError extends Error {
  readonly code: string;
  readonly call: string;
  readonly errno: number;

  constructor(call: string, errno: number) {
    const code = ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
    super(`${call}: ${code}`);
    this.code = code;
    this.call = call;
    this.errno = errno;
  }
}

const ERRNO_NAMES = new Map(Object.entries(koffi.os.errno).map(([name, value]) => [value as number, name]));

/** Returns a system call's result; throws {@link SystemError} when it is -1. */
export function checked(call: string, result: number | bigint): number {
  if (Number(result) === -1) throw new SystemError(call, koffi.errno());
  return Number(result);
}

const closeFd = declare('int close(int fd)');

/** Closes a descriptor that a native call has made. */
export function close(fd: number): void {
  closeFd(fd);
}

/** Declares a function that is called on another thread; undefined if the C library does not have it. */
export function declareSlow(prototype: string): ((...args: unknown[]) => Promise<number>) | undefined {
  try {
    return promisify(libc.func(prototype).async) as (...args: unknown[]) => Promise<number>;
  } catch {
    return undefined;
  }
}
