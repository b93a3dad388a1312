import type { Readable } from 'node:stream';

/** Something at a path inside an instance. Ids are the instance's own. */
export interface FileFacts {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** RFC 3339. */
  readonly modified: string;
  /** Bytes of a file; 0 also for those that do not know, such as those below /proc. */
  readonly size: number;
}

export interface FoundFile extends FileFacts {
  /** Names in a directory; empty otherwise. */
  readonly entries: readonly string[];
  /** Where a link leads, as it was written; empty otherwise. */
  readonly target: string;
  /** Content of a file, to be read to its end or destroyed. */
  readonly content: Readable;
}
