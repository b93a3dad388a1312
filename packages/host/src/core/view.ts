import type { Devices } from './entities.ts';

/** All that one instance may see of itself. A new one is made at each change; a view itself never changes. */
export interface GuestView {
  readonly instanceId: number;
  readonly name: string;
  /** `security.devlxd`: unset counts as true. */
  readonly devlxd: boolean;
  /** `security.devlxd.images`: unset counts as false. */
  readonly allowsImages: boolean;
  /** `security.devlxd.guest_config`: unset counts as false. */
  readonly allowsGuestConfig: boolean;
  /** Whether `volatile.last_state.ready` is true. */
  readonly ready: boolean;
  /** The host's name. */
  readonly location: string;
  /** Key to its value at GET /1.0/config/KEY, with cloud-init data merged (guest-api reference, 6). */
  readonly config: ReadonlyMap<string, string>;
  /** Keys that GET /1.0/config lists, sorted: all whose GET answers 200, except ssh-keys. */
  readonly listed: readonly string[];
  /** Key to the ETag of its value, for each key of `config`. */
  readonly etags: ReadonlyMap<string, string>;
  /** The ETag of `listed`. */
  readonly listEtag: string;
  /** Expanded devices, sorted on both levels, with the `hwaddr` of nics filled in from volatile keys. */
  readonly devices: Devices;
  /** The exact body of GET /1.0/meta-data. */
  readonly metaData: string;
}
