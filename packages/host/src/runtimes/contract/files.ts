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

export interface NewFile {
  readonly type: FileFacts['type'];
  /** For what is new: a file or directory that is there keeps its owner and mode. */
  readonly uid: number;
  readonly gid: number;
  readonly mode: number | null;
  /** Adds to a file that is there, instead of replacing what it holds. */
  readonly append: boolean;
  /** Content of a file, or where a link shall lead. */
  readonly content: Readable;
}

/**
 * Paths are resolved inside the instance, whatever it makes of them; also while it is stopped. They, names and
 * targets may be no UTF-8; `base/byte-text.ts` says how they are text then.
 */
export interface FileCases {
  /** A link at the path's end is not followed. @throws file-not-found, file-failed */
  read(name: string, path: string): Promise<FoundFile>;
  stat(name: string, path: string): Promise<FileFacts>;
  /** @throws file-not-found when the directory is missing, file-failed */
  write(name: string, path: string, file: NewFile): Promise<void>;
  /** A file, or an empty directory. */
  delete(name: string, path: string): Promise<void>;
}
