/** What Porthole knows, as immutable values. A change makes new objects; nobody edits one in place. */

/** Config keys and their values; values are always strings, as in LXD. */
export type Config = Readonly<Record<string, string>>;

/** One device's options, `type` among them. */
export type Device = Readonly<Record<string, string>>;

/** Device name to device. */
export type Devices = Readonly<Record<string, Device>>;

export interface Instance {
  /** Never reused, also not after a delete: events and connections are bound to it. */
  readonly id: number;
  readonly name: string;
  /** Canonical, such as `x86_64`. */
  readonly architecture: string;
  readonly description: string;
  readonly ephemeral: boolean;
  /** Profile names in the order in which they apply. */
  readonly profiles: readonly string[];
  /** The instance's own keys, `volatile.*` and `image.*` included. */
  readonly config: Config;
  /** The instance's own devices. */
  readonly devices: Devices;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; `NEVER` before the first. */
  readonly lastStartedAt: string;
}

export interface Profile {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly devices: Devices;
}

/** The files of an image: one archive, or metadata and root filesystem apart. Extensions as `.tar.gz`. */
export type ImageFiles =
  | { readonly kind: 'unified'; readonly extension: string }
  | { readonly kind: 'split'; readonly metadataExtension: string; readonly rootfsExtension: string };

export interface Image {
  /** sha256 of the uploaded bytes, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly architecture: string;
  /** Bytes, all files together. */
  readonly size: number;
  /** Name of the uploaded file. */
  readonly filename: string;
  readonly public: boolean;
  readonly cached: boolean;
  readonly autoUpdate: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly createdAt: string;
  readonly uploadedAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly files: ImageFiles;
}

export interface Alias {
  readonly name: string;
  /** Full fingerprint. */
  readonly target: string;
  readonly description: string;
}

/** A device on its way into a running instance, with what that makes there and on the host. */
export interface Addition {
  readonly name: string;
  /** A nic with its `host_name`. */
  readonly device: Device;
  /** Its mount point, or its interface on the host, is not there before. */
  readonly created: boolean;
}

/** Everything, as the store holds it. */
export interface State {
  readonly instances: ReadonlyMap<number, Instance>;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly images: ReadonlyMap<string, Image>;
  readonly aliases: ReadonlyMap<string, Alias>;
}

/** One step of a change; several form one transaction. */
export type Change =
  /** An id that is about to be used, before anything has its name: it is never given again. */
  | { readonly kind: 'give-instance-id'; readonly id: number }
  /** A folder of an instance that is not known here is not to be swept away; its id is never given. */
  | { readonly kind: 'keep-folder'; readonly instanceId: number }
  | { readonly kind: 'drop-folder'; readonly instanceId: number }
  | { readonly kind: 'put-instance'; readonly instance: Instance }
  | { readonly kind: 'delete-instance'; readonly id: number }
  | { readonly kind: 'put-additions'; readonly instanceId: number; readonly additions: readonly Addition[] }
  | { readonly kind: 'drop-additions'; readonly instanceId: number }
  | { readonly kind: 'put-profile'; readonly profile: Profile }
  | { readonly kind: 'delete-profile'; readonly name: string }
  | { readonly kind: 'put-image'; readonly image: Image }
  | { readonly kind: 'delete-image'; readonly fingerprint: string }
  | { readonly kind: 'put-alias'; readonly alias: Alias }
  | { readonly kind: 'delete-alias'; readonly name: string };

/** Types of events that the journal has. */
export const EVENT_TYPES = ['config', 'device', 'lifecycle'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event before it is stored. `instanceId` is null for events that no instance may see. */
export interface NewEvent {
  readonly instanceId: number | null;
  readonly type: EventType;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The instance whose doing a host event is: it counts as one of that instance's. */
  readonly causedBy?: number;
}

/** An event as stored: `sequence` grows for ever, in commit order. */
export interface StoredEvent extends NewEvent {
  readonly sequence: number;
}

/** A question to the journal: the events of one instance, or of the host (null), after a position. */
export interface EventQuery {
  readonly instanceId: number | null;
  /** A sequence number that has been seen. */
  readonly after: number;
  readonly types: ReadonlySet<string>;
  /** No more events than this. */
  readonly events: number;
  /** No further event once so many bytes have been found. */
  readonly bytes: number;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Whether there may be others behind these; also when there are none here, and the reader is to go on. */
  readonly more: boolean;
  /** All events up to here have been looked at, those of others too: go on from here. */
  readonly reached: number;
}

/** Positions that have missed nothing: from `oldest` to `newest`, both included. */
export interface JournalSpan {
  readonly oldest: number;
  readonly newest: number;
}
