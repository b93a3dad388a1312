/** The JSON of the guest API, as both sides of the socket see it. */

/** `Ready` once the instance has said so, else `Started`. */
export type GuestState = 'Started' | 'Ready';

/** `GET /1.0` */
export interface ServerInfo {
  readonly state: GuestState;
  readonly api_version: '1.0';
  readonly instance_type: 'container' | 'virtual-machine';
  /** The host's name. */
  readonly location: string;
  readonly auth: 'untrusted';
  readonly supported_storage_drivers: readonly unknown[];
  /** What the host can do beyond LXD's guest API. */
  readonly api_extensions: readonly string[];
}

/** `GET /1.0/devices`: device name to its options. */
export type GuestDevices = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A changed `user.*` key of the instance's effective configuration; an unset side is empty. */
export interface ConfigEvent {
  readonly type: 'config';
  /** RFC 3339. */
  readonly timestamp: string;
  readonly metadata: { readonly key: string; readonly old_value: string; readonly value: string };
}

/** A device that came, went or was changed while it stayed. */
export interface DeviceEvent {
  readonly type: 'device';
  /** RFC 3339. */
  readonly timestamp: string;
  readonly metadata: {
    readonly action: 'added' | 'removed' | 'updated';
    readonly config: Readonly<Record<string, string>>;
    readonly name: string;
  };
}

/** One line of `GET /1.0/events`. */
export type GuestEvent = ConfigEvent | DeviceEvent;

export type GuestEventType = GuestEvent['type'];
