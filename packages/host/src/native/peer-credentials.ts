import { checked, declare } from './libc.ts';

const getsockopt = declare('int getsockopt(int fd, int level, int name, _Out_ void *value, void *length)');

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERPIDFD = 77;

const credentials = Buffer.alloc(12);
const descriptor = Buffer.alloc(4);
/** `socklen_t` of each; the kernel writes the same number back. */
const credentialsLength = lengthOf(credentials);
const descriptorLength = lengthOf(descriptor);

/** The process that connected a Unix socket, as the kernel recorded it at connect(); unix(7), SO_PEERCRED. */
export interface PeerCredentials {
  readonly pid: number;
  /** Effective uid, in the daemon's user namespace. */
  readonly uid: number;
  readonly gid: number;
}

/** The credentials of the process at the other end of a connected Unix socket. */
export function peerCredentials(socket: number): PeerCredentials {
  checked(
    'getsockopt(SO_PEERCRED)',
    getsockopt(socket, SOL_SOCKET, SO_PEERCRED, credentials, credentialsLength),
  );
  return {
    pid: credentials.readInt32LE(0),
    uid: credentials.readUInt32LE(4),
    gid: credentials.readUInt32LE(8),
  };
}

/**
 * A handle on the process that connected, independent of its pid (Linux 6.5, SO_PEERPIDFD).
 * @returns a pidfd, to be closed by the caller; null when the process is gone, or no descriptors are left
 */
export function peerPidfd(socket: number): number | null {
  const result = getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, descriptor, descriptorLength);
  return result === 0 ? descriptor.readInt32LE(0) : null;
}

function lengthOf(value: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  return length;
}
