import { readFileSync } from 'node:fs';

/** A container gets this many ids, as LXC's own default. */
export const IDS_PER_INSTANCE = 65_536;

/** The ranges of host ids that root may hand to unprivileged instances: /etc/subuid and /etc/subgid. */
export interface IdRanges {
  readonly uid: number;
  readonly gid: number;
}

/** Reads root's ranges; null when there is none that is large enough. */
export function readIdRanges(files = { uid: '/etc/subuid', gid: '/etc/subgid' }): IdRanges | null {
  const uid = firstRange(readText(files.uid));
  const gid = firstRange(readText(files.gid));
  return uid === null || gid === null ? null : { uid, gid };
}

/** Start of the first range of root in a text of the format of subuid(5) that holds a whole instance. */
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
