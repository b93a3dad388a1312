import { ID_MAX } from '../base/linux-ids.ts';
import { wireError } from './wire-errors.ts';

/** The headers that describe a file, directory or link; uid and gid are ids inside the instance. */
export interface FileHeaders {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly uid: number;
  readonly gid: number;
  /** null if not given. */
  readonly mode: number | null;
  readonly append: boolean;
}

const TYPES = ['file', 'directory', 'symlink'] as const;

/** Reads the headers of POST /1.0/instances/NAME/files; header names in lower case. @throws CodedError 400 */
export function parseFileHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): FileHeaders {
  const header = (name: string) => String(headers[`x-lxd-${name}`] ?? '');
  const write = header('write') || 'overwrite';
  if (write !== 'overwrite' && write !== 'append')
    throw wireError('invalid-file-header', 'write mode', write);
  const type = TYPES.find((known) => known === (header('type') || 'file'));
  if (!type) throw wireError('invalid-file-header', 'type', header('type'));
  const mode = header('mode');
  return {
    type,
    uid: parseId('uid', header('uid')),
    gid: parseId('gid', header('gid')),
    mode: mode === '' ? null : parseMode(mode),
    append: write === 'append',
  };
}

/** The headers of an answer to a GET of a file. */
export function fileHeaders(facts: {
  readonly type: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly modified: string;
}): Record<string, string> {
  return {
    'X-LXD-type': facts.type,
    'X-LXD-uid': String(facts.uid),
    'X-LXD-gid': String(facts.gid),
    'X-LXD-mode': `0${facts.mode.toString(8).padStart(3, '0')}`,
    // Go's notation of a time, as LXD sends it.
    'X-LXD-modified': facts.modified.replace('T', ' ').replace(/\..*/, ' +0000 UTC'),
  };
}

function parseId(name: string, value: string): number {
  if (!/^[0-9]{0,10}$/.test(value) || Number(value) > ID_MAX)
    throw wireError('invalid-file-header', name, value);
  return Number(value);
}

function parseMode(value: string): number {
  if (!/^0?[0-7]{1,4}$/.test(value)) throw wireError('invalid-file-header', 'mode', value);
  return Number.parseInt(value, 8);
}
