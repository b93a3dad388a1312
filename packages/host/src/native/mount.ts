import { fileURLToPath } from 'node:url';

/** A file or folder of the host: its device and its inode, as text. */
export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
}

/** A change of the mounts that a running container sees. */
export type MountTask =
  | {
      readonly kind: 'mount';
      /** A file or folder of the host. */
      readonly source: string;
      /** Absolute path inside; links on the way are followed inside, never out of the container. */
      readonly target: string;
      readonly readonly: boolean;
      readonly recursive: boolean;
      /** Does nothing where the target is the source already. */
      readonly unlessThere?: boolean;
    }
  | {
      readonly kind: 'unmount';
      readonly target: string;
      /** Only the topmost mount, or also what is stacked below it. */
      readonly layers: 'one' | 'all';
      /** Also remove the empty mount point. */
      readonly remove: boolean;
      /** Unmounts nothing but this; absent: whatever is there. */
      readonly source?: FileIdentity;
    }
  | {
      /** Only says whether something is there. */
      readonly kind: 'look';
      readonly target: string;
    };

/** Who owns what is made inside: the host ids of the container's root. */
export interface InsideOwner {
  readonly uid: number;
  readonly gid: number;
}

/** What the program that changes mounts reads from its standard input. */
export interface MountOrder {
  readonly owner: InsideOwner;
  readonly tasks: readonly MountTask[];
}

/** What it answers: for each task whether it made (mount) or found (unmount, look) something; or what failed. */
export type MountAnswer =
  | { readonly results: readonly boolean[] }
  | { readonly call: string; readonly errno: number };

/** Descriptor on which it gets the pidfd of a process in the container. */
export const MOUNT_PIDFD = 3;

/** The program that carries out mount tasks inside the mount namespace of a process, in order. */
export const MOUNT_PROGRAM = fileURLToPath(new URL('./mount-child.ts', import.meta.url));
