import type { HostClient } from '../../packages/host/src/client/host-client.ts';

export type PeerName = 'porthole' | 'nginx' | 'nginx tuned' | 'node:http' | 'lxd' | 'lxd btrfs';

/** A server on a Unix socket that gives the same answers as the others. */
export interface Peer extends AsyncDisposable {
  readonly name: PeerName;
  /** Path of the socket that callers connect to. */
  readonly socket: string;
  /** The host pid of an init process: callers enter its user and PID namespaces, and are root there. */
  readonly callersOf: number;
  /** The host pid of a process in whose mount namespace the socket is; absent if that is the benchmark's. */
  readonly mountsOf?: number;
  /** The target that downloads the image; undefined when the peer has no image. */
  readonly exportTarget?: string;
}

/** A peer that runs containers and has LXD's host API. */
export interface ContainerPeer extends Peer {
  readonly name: 'porthole' | 'lxd' | 'lxd btrfs';
  readonly pid: number;
  readonly client: HostClient;
  /** The instance whose namespaces callers enter. */
  readonly instance: string;
}

/** The config key that callers request, and its value. */
export const KEY = 'user.bench';
export const VALUE = 'a value of an ordinary length, 48 bytes with dots';

export const SERVER_TARGET = '/1.0';
export const KEY_TARGET = `/1.0/config/${KEY}`;

/** The answer for `SERVER_TARGET` of peers that know no instances. */
export const SERVER_BODY = `${JSON.stringify({
  state: 'Started',
  api_version: '1.0',
  instance_type: 'container',
  location: 'myhost',
  auth: 'untrusted',
  supported_storage_drivers: [],
})}\n`;
