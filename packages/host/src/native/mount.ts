import { fileURLToPath } from 'node:url';

/** A file or folder of the host: its device and its inode, as text. */
export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
}

/** A change of the mounts that a running container sees, or a look at them. */
export type MountTask =
  | {
      readonly kind: 'mount';
      /** A file or folder of the host. */
      readonly source: string;
      /** Absolute path inside; links are followed inside, never out of the container. */
      readonly target: string;
      readonly readonly: boolean;
      readonly recursive: boolean;
      /** Does nothing if the target already is the source. */
      readonly unlessThere?: boolean;
    }
  | {
      readonly kind: 'unmount';
      readonly target: string;
      /** Only the topmost mount, or also those below it. */
      readonly layers: 'one' | 'all';
      /** Also removes the empty mount point. */
      readonly remove: boolean;
      /** Unmounts only this source; undefined for any. */
      readonly source?: FileIdentity;
    }
  | {
      /** Only finds out whether something is there. */
      readonly kind: 'look';
      readonly target: string;
    };

/** The owner of new files inside: the host ids of the container's root. */
export interface InsideOwner {
  readonly uid: number;
  readonly gid: number;
}

/** The input of the program that changes mounts, on its standard input. */
export interface MountOrder {
  readonly owner: InsideOwner;
  readonly tasks: readonly MountTask[];
}

/** The call that failed. */
export interface MountFailure {
  readonly call: string;
  readonly errno: number;
  /** Path inside the instance, of the failed task; absent if no task had begun. */
  readonly target?: string;
  /** Only a folder can be mounted on a folder, and only another file on another file. */
  readonly kinds?: 'folder-on-file' | 'file-on-folder';
}

/** The child's answer: whether each task made (mount) or found (unmount, look) something; or which call failed. */
export type MountAnswer = { readonly results: readonly boolean[] } | MountFailure;

/** The descriptor on which it gets the pidfd of a process in the container. */
export const MOUNT_PIDFD = 3;

/** The program that carries out mount tasks inside the mount namespace of a process, in order. */
export const MOUNT_PROGRAM = fileURLToPath(new URL('./mount-child.ts', import.meta.url));
