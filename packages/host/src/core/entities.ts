/** Porthole's entities, as immutable values: a change makes new objects and does not modify old ones. */

/** Config keys and their values; values are always strings, as in LXD. */
export type Config = Readonly<Record<string, string>>;

/** One device's options, including `type`. */
export type Device = Readonly<Record<string, string>>;

/** Device name to device. */
export type Devices = Readonly<Record<string, Device>>;

export interface Instance {
  /** Never used again, even after a delete: events and connections refer to it. */
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
  /** RFC 3339; `NEVER` before the first start. */
  readonly lastStartedAt: string;
}

export interface Profile {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly devices: Devices;
}

/** The files of an image: one archive, or metadata and root filesystem. Extensions as `.tar.gz`. */
export type ImageFiles =
  | { readonly kind: 'unified'; readonly extension: string }
  | { readonly kind: 'split'; readonly metadataExtension: string; readonly rootfsExtension: string };

/** The occasions at which the templates of an image can be applied. */
export const TEMPLATE_TRIGGERS = ['create', 'copy', 'rename', 'start'] as const;
export type TemplateTrigger = (typeof TEMPLATE_TRIGGERS)[number];

/** A template of an image: a file that is made in an instance from its config. */
export interface ImageTemplate {
  /** The file to make, as the image names it. */
  readonly path: string;
  /** The name of its text in the image's folder `templates`. */
  readonly file: string;
  readonly when: readonly TemplateTrigger[];
  /** Whether a file that is there stays as it is. */
  readonly createOnly: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly text: string;
  /** Why it is left out; null if it is applied. */
  readonly unsupported: string | null;
}

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
  /** Absent if there are none. */
  readonly templates?: readonly ImageTemplate[];
}

export interface Alias {
  readonly name: string;
  /** Full fingerprint. */
  readonly target: string;
  readonly description: string;
}

/** A device that is being added to a running instance. */
export interface Addition {
  readonly name: string;
  /** The device; a nic has its `host_name` set. */
  readonly device: Device;
  /** Whether the addition makes the mount point, or the interface on the host: it did not exist before. */
  readonly created: boolean;
}

/** Everything in the store. */
export interface State {
  readonly instances: ReadonlyMap<number, Instance>;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly images: ReadonlyMap<string, Image>;
  readonly aliases: ReadonlyMap<string, Alias>;
}

/** One step of a change; a transaction has one or more. */
export type Change =
  /** Marks an id as used before anything is named after it: it is never given again. */
  | { readonly kind: 'give-instance-id'; readonly id: number }
  /** Protects the folder of an unknown instance from removal as a leftover; its id is never given. */
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
  | { readonly kind: 'delete-alias'; readonly name: string }
  | FleetChange;

/** A change of what a member of a fleet keeps of the fleet. */
export type FleetChange =
  | { readonly kind: 'put-fleet'; readonly fleet: Fleet }
  /** Forgets the fleet and everything that was kept of it. `notice` is for operators; empty if they know. */
  | { readonly kind: 'leave-fleet'; readonly notice: string }
  /** Keeps an object of others. `key` is that of core/mirror.ts; `put` the JSON text of the change that has made it. */
  | { readonly kind: 'put-mirror'; readonly key: string; readonly put: string }
  | { readonly kind: 'delete-mirror'; readonly key: string }
  /** Marks that events of an instance may be missing before now: readers of older positions are told so. */
  | { readonly kind: 'break-history'; readonly instanceId: number };

/** The fleet that this host is a member of. */
export interface Fleet {
  /** The name of this host in it. */
  readonly member: string;
  /** The revision up to which everything is applied here. */
  readonly revision: number;
  /** Tells the history up to the revision from another one that has the same revision, such as that of a restored store. */
  readonly mark?: string;
}

/** The types of events in the journal. */
export const EVENT_TYPES = ['config', 'device', 'lifecycle'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event before it is stored. `instanceId` is null for events of the host, which no instance may see. */
export interface NewEvent {
  readonly instanceId: number | null;
  readonly type: EventType;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The instance that caused a host event: the event counts as one of that instance's. */
  readonly causedBy?: number;
}

/** An event as stored: `sequence` always grows, in commit order. */
export interface StoredEvent extends NewEvent {
  readonly sequence: number;
}

/** A query of the journal: the events of one instance, or of the host (null), after a position. */
export interface EventQuery {
  readonly instanceId: number | null;
  /** The position that the reader has seen. */
  readonly after: number;
  readonly types: ReadonlySet<string>;
  /** The maximum number of events. */
  readonly events: number;
  /** The page ends with the event that reaches this many bytes. */
  readonly bytes: number;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Whether more events may follow. It can be true for an empty page: the reader then asks again. */
  readonly more: boolean;
  /** The position up to which all events were searched: the next query's `after`. */
  readonly reached: number;
}

/** The positions after which no event is missing: from `oldest` to `newest`, both included. */
export interface JournalSpan {
  readonly oldest: number;
  readonly newest: number;
}
