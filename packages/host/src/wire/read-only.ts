// Objects of LXD's API that Porthole shows, because clients look for them, and never changes.

/** A network: an interface of the host. */
export interface HostNetworkJson {
  readonly name: string;
  readonly description: string;
  readonly type: 'bridge' | 'loopback';
  readonly managed: false;
  readonly status: '';
  readonly config: Readonly<Record<string, never>>;
  readonly used_by: readonly string[];
  readonly locations: null;
}

/** A storage pool: the state directory, under the name that root disks have as their `pool`. */
export interface StoragePoolJson {
  readonly name: string;
  readonly description: string;
  readonly driver: string;
  readonly status: 'Created';
  readonly config: { readonly source?: string };
  readonly used_by: readonly string[];
  readonly locations: readonly string[];
}

/** The name of the only project. */
export const PROJECT = 'default';

/** A project. */
export interface ProjectJson {
  readonly name: string;
  readonly description: string;
  /** LXD's names for the things that a project has of its own, each with `true`. */
  readonly config: Readonly<Record<string, string>>;
  readonly used_by: readonly string[];
}
