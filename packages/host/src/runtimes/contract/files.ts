import type { Readable } from 'node:stream';

/** A file, directory or link at a path inside an instance. Ids are those inside the instance. */
export interface FileFacts {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** RFC 3339. */
  readonly modified: string;
  /** Bytes of a file; also 0 for files that do not tell their size, such as those below /proc. */
  readonly size: number;
}

export interface FoundFile extends FileFacts {
  /** Names in a directory; empty otherwise. */
  readonly entries: readonly string[];
  /** Target of a link, as it was written; empty otherwise. */
  readonly target: string;
  /** Content of a file, to be read to its end or destroyed. */
  readonly content: Readable;
}
