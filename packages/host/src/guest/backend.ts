import type { Caller } from '../core/caller.ts';
import type { EventPage, EventQuery, Image, JournalSpan, StoredEvent } from '../core/entities.ts';
import type { GuestView } from '../core/view.ts';

/** What became of a write by the time when it could be stored; settled once it is durable, or refused. */
export type WriteResult = 'stored' | 'forbidden' | 'too-many-keys';

/** What the guest API needs of the rest of the daemon, and all that it can reach. */
export interface GuestBackend {
  /**
   * Who connected on this accepted socket; called once per connection. Never throws. A promise when an
   * instance is just being started, whose first processes are not known yet.
   */
  identify(fd: number): Caller | Promise<Caller>;
  /** The current view of an instance; undefined once that run is over (stopped, deleted). */
  view(instanceId: number, runNumber: number): GuestView | undefined;
  /** Calls back whenever the view of an instance is another one; returns the function that ends it. */
  watchView(instanceId: number, listener: () => void): () => void;
  image(fingerprint: string): Image | undefined;
  /** Absolute paths of an image's files: one for a unified image; metadata, then rootfs for a split one. */
  imagePaths(image: Image): readonly string[];
  /** Stores the Ready state, with its `instance-ready` event. @throws when it cannot be stored */
  setReady(instanceId: number, ready: boolean): Promise<WriteResult>;
  /** Stores a key of the instance's own, null takes it away, and tells both sides. @throws when it cannot be stored */
  writeKey(instanceId: number, key: string, value: string | null): Promise<WriteResult>;
  /** Tells the host that an instance has fetched an image. @throws when that cannot be stored */
  imageRetrieved(instanceId: number, fingerprint: string): Promise<WriteResult>;
  /** Events of the past, without a wait. */
  eventsAfter(query: EventQuery): EventPage;
  /** Which positions have missed nothing. */
  journalSpan(instanceId: number): JournalSpan;
  /** Calls back for each later event of an instance, in commit order; returns the function that ends it. */
  subscribe(instanceId: number, listener: (event: StoredEvent) => void): () => void;
}
