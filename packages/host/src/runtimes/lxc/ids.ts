import { readFileSync } from 'node:fs';
import { IDS_PER_INSTANCE } from '../../core/host-ids.ts';

/** Starts of the ranges of host ids that root may give to instances, from /etc/subuid and /etc/subgid. */
export interface IdRanges {
  readonly uid: number;
  readonly gid: number;
}

/** Reads root's ranges; null when none is large enough. */
export function readIdRanges(files = { uid: '/etc/subuid', gid: '/etc/subgid' }): IdRanges | null {
  const uid = firstRange(readText(files.uid));
  const gid = firstRange(readText(files.gid));
  return uid === null || gid === null ? null : { uid, gid };
}

/** Start of root's first range that is large enough for an instance, in a text in the format of subuid(5). */
export function firstRange(text: string): number | null {
  for (const line of text.split('\n')) {
    const [owner, start, count] = line.trim().split(':');
    if ((owner === 'root' || owner === '0') && Number(count) >= IDS_PER_INSTANCE) return Number(start);
  }
  return null;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
