/** The JSON of the guest API, as both sides of the socket see it. */

/** `Ready` once the instance has reported it, otherwise `Started`. */
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
  /** Features of the host beyond LXD's guest API. */
  readonly api_extensions: readonly string[];
}

/** `GET /1.0/devices`: device name to its options. */
export type GuestDevices = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** `GET /1.0/ubuntu-pro` */
export interface UbuntuPro {
  readonly guest_attach: 'off';
}

/** All JSON answers: `GET /` and `GET /1.0/config` give paths, the others one of the types above. */
export type GuestJson = readonly string[] | ServerInfo | GuestDevices | UbuntuPro;

/** A changed `user.*` or `guest.*` key of the instance's expanded config; an unset value is empty. */
export interface ConfigEvent {
  readonly type: 'config';
  /** RFC 3339. */
  readonly timestamp: string;
  readonly metadata: { readonly key: string; readonly old_value: string; readonly value: string };
}

/** A device that was added, removed or changed. */
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

/** One line of `GET /1.0/events`; with `sequence` if it was asked for with `since`. */
export type GuestEvent = (ConfigEvent | DeviceEvent) & { readonly sequence?: number };

/** An event with its number, after which a later listener can continue. */
export type NumberedEvent = GuestEvent & { readonly sequence: number };

/** `GET /1.0/events?since=...&limit=...` */
export interface EventPage {
  readonly events: readonly NumberedEvent[];
  /** The position to ask for next. */
  readonly next: number;
  /** Whether there are more events already. */
  readonly more: boolean;
}

export type GuestEventType = GuestEvent['type'];
