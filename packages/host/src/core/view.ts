import type { Devices } from './entities.ts';

/** What one instance may see of itself. Built anew at each change; readers never see a half-made one. */
export interface GuestView {
  readonly instanceId: number;
  readonly name: string;
  /** `security.devlxd`: unset counts as true. */
  readonly devlxd: boolean;
  /** `security.devlxd.images`: unset counts as false. */
  readonly allowsImages: boolean;
  /** `security.devlxd.guest_config`: unset counts as false. */
  readonly allowsGuestConfig: boolean;
  /** `volatile.last_state.ready` is true. */
  readonly ready: boolean;
  /** The host's name. */
  readonly location: string;
  /** Key to the value that GET /1.0/config/KEY answers, cloud-init data merged (guest-api reference, 6). */
  readonly config: ReadonlyMap<string, string>;
  /** Keys that GET /1.0/config lists, sorted: exactly those whose GET answers 200, ssh-keys left out. */
  readonly listed: readonly string[];
  /** Key to the ETag of its value, for each key of `config`. */
  readonly etags: ReadonlyMap<string, string>;
  /** The ETag of `listed`. */
  readonly listEtag: string;
  /** Expanded devices, both levels sorted, nic `hwaddr` filled in from volatile. */
  readonly devices: Devices;
  /** Exact body of GET /1.0/meta-data. */
  readonly metaData: string;
}
