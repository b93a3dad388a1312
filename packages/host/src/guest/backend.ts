import type { Caller } from '../core/caller.ts';
import type { EventPage, EventQuery, Image, JournalSpan, StoredEvent } from '../core/entities.ts';
import type { GuestView } from '../core/view.ts';

/** The result of a write at the time it could be stored; settles when the write is durable or refused. */
export type WriteResult = 'stored' | 'forbidden' | 'too-many-keys' | 'cut-off' | 'outcome-unknown';

/** All functions of the daemon that the guest API needs and can reach. */
export interface GuestBackend {
  /**
   * The caller on an accepted socket; called once per connection. Never throws. A promise while an instance
   * is being started and its first processes are not known yet.
   */
  identify(fd: number): Caller | Promise<Caller>;
  /** The current view of an instance; undefined if that run is over (stopped, deleted). */
  view(instanceId: number, runNumber: number): GuestView | undefined;
  /** Calls `listener` each time the view of an instance is replaced; returns the function that ends it. */
  watchView(instanceId: number, listener: () => void): () => void;
  image(fingerprint: string): Image | undefined;
  /** Absolute paths of an image's files: one for a unified image; metadata, then rootfs for a split one. */
  imagePaths(image: Image): readonly string[];
  /** Gets the files of an image from another host, if they are not here. */
  ensureImage(image: Image): Promise<void>;
  /** Stores the Ready state, with its `instance-ready` event. @throws when it cannot be stored */
  setReady(instanceId: number, ready: boolean): Promise<WriteResult>;
  /** Stores an instance's own key, null removes it; publishes the events. @throws when it cannot be stored */
  writeKey(instanceId: number, key: string, value: string | null): Promise<WriteResult>;
  /** How many writes a write of an own key counts as; absent: one. */
  writeWeight?(instanceId: number): number;
  /** Publishes on the host that an instance has fetched an image. @throws when that cannot be stored */
  imageRetrieved(instanceId: number, fingerprint: string): Promise<WriteResult>;
  /** Stored events; does not wait for new ones. */
  eventsAfter(query: EventQuery): EventPage;
  /** The positions after which no event is missing. */
  journalSpan(instanceId: number): JournalSpan;
  /**
   * Calls `listener` for each later event of an instance, in commit order; returns the function that ends it.
   */
  subscribe(instanceId: number, listener: (event: StoredEvent) => void): () => void;
}
