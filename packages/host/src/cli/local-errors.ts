import { dirname } from 'node:path';
import { messageOf } from '../base/coded-error.ts';

/** The sentence for each error of the system about a file of this host; `%s` is its path. */
const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'There is no %s',
  ENOTDIR: '%s: a part of the path is not a directory',
  EACCES: 'You may not use %s: its permissions do not allow it',
  EPERM: 'You may not do that with %s: the system does not allow it',
  EEXIST: '%s exists already',
  EISDIR: '%s is a directory',
  ENOTEMPTY: '%s is not empty',
  ENOSPC: 'The disk is full: %s could not be written',
  EDQUOT: 'Your part of the disk is full: %s could not be written',
  EFBIG: '%s would be larger than the system allows',
  EROFS: '%s cannot be written: its file system is read-only',
  ELOOP: '%s leads through too many links',
  ENAMETOOLONG: '%s: the name is too long',
  ETXTBSY: '%s is a program that runs: it cannot be written',
  EBUSY: '%s is in use',
  EIO: 'The disk failed: %s could not be read or written',
  ENXIO: '%s is a pipe or device without another end',
  EINVAL: 'The system does not take %s',
  EMFILE: 'Too many files are open: %s could not be opened',
  ENFILE: 'Too many files are open on this host: %s could not be opened',
  ESTALE: 'The network file system no longer has %s',
};

/** System calls that make what they name: only the directory can be missing. */
const MAKERS: ReadonlySet<string> = new Set(['mkdir', 'mkdtemp', 'symlink', 'link']);

/** An error of the system about a file that it does not name itself. */
export class LocalError extends Error {
  constructor(error: unknown, path: string) {
    super(localSentence(error, path) ?? messageOf(error), { cause: error });
    this.name = 'LocalError';
  }
}

/** What went wrong, as a sentence, also for an error of the system. */
export function sentenceOf(error: unknown): string {
  return localSentence(error, undefined) ?? messageOf(error);
}

/** Undefined when it is no error of the system. */
function localSentence(error: unknown, named: string | undefined): string | undefined {
  if (!isSystemError(error)) return undefined;
  const path = named ?? error.dest ?? error.path;
  const shown = path === undefined ? 'a file' : String(path);
  if (error.code === 'ENOENT' && path !== undefined && MAKERS.has(error.syscall ?? ''))
    return `There is no directory ${dirname(String(path))}`;
  const sentence = SENTENCES[error.code];
  if (sentence) return sentence.replaceAll('%s', () => shown);
  // Such as "ENODEV: no such device, open '/x'": the middle says it.
  const text = error.message.replace(/^[A-Z0-9]+: /, '').replace(/, [a-z]+( '.*)?$/s, '');
  return path === undefined ? `The system says: ${text}` : `${shown}: ${text}`;
}

type SystemError = NodeJS.ErrnoException & { readonly code: string; readonly dest?: string };

function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) && syscall !== undefined;
}

/** Explains errors of making or writing a file of this host: those of an open file do not name it. */
export async function writing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT') throw new Error(`There is no directory ${dirname(path)}`, { cause: error });
    throw new LocalError(error, path);
  }
}
