import type { Caller } from '../core/caller.ts';
import type { EventPage, EventQuery, Image, Instance, JournalSpan, StoredEvent } from '../core/model.ts';
import type { GuestView } from '../core/view.ts';
import type { Context } from '../instances/needs.ts';
import { type Effect, keyEffect, readyEffect, type WriteResult } from '../instances/guest-writes.ts';
import { lifecycle } from '../model/lifecycle.ts';
import { WriteGroups } from '../instances/write-groups.ts';

/** What the guest API may ask of the daemon; the guest room declares the same shape as its need. */
export interface GuestCases {
  identify(fd: number): Caller | Promise<Caller>;
  view(instanceId: number, boot: number): GuestView | undefined;
  image(fingerprint: string): Image | undefined;
  imagePaths(image: Image): readonly string[];
  setReady(instanceId: number, ready: boolean): Promise<WriteResult>;
  writeKey(instanceId: number, key: string, value: string | null): Promise<WriteResult>;
  imageRetrieved(instanceId: number, fingerprint: string): Promise<WriteResult>;
  watchView(instanceId: number, listener: () => void): () => void;
  eventsAfter(query: EventQuery): EventPage;
  journalSpan(instanceId: number): JournalSpan;
  subscribe(instanceId: number, listener: (event: StoredEvent) => void): () => void;
}

/**
 * What instances can reach.
 * @param identify says who is at the other end of a socket
 */
export function guestCases(
  context: Context,
  identify: (fd: number) => Caller | Promise<Caller>,
  imagePaths: (image: Image) => readonly string[],
): GuestCases {
  const { model, running, hub, journal } = context;
  const groups = new WriteGroups(model);
  /** What a run has written is not stored any more once that run is over. */
  const write = (instanceId: number, work: (instance: Instance) => Effect) => {
    const run = running.get(instanceId);
    return groups.add(instanceId, (instance) => {
      if (running.get(instanceId) !== run) throw new Error('the run that has written this is over');
      return work(instance);
    });
  };
  return {
    imagePaths,
    identify,
    view: (instanceId, boot) => (running.get(instanceId)?.boot === boot ? model.view(instanceId) : undefined),
    image: (fingerprint) => model.state.images.get(fingerprint),
    setReady: (instanceId, ready) => write(instanceId, (instance) => readyEffect(instance, ready)),
    writeKey: (instanceId, key, value) =>
      write(instanceId, (instance) => keyEffect(instance, model.state.profiles, key, value)),
    imageRetrieved: (instanceId, fingerprint) =>
      write(instanceId, ({ id: causedBy }) => ({
        result: 'stored',
        told: [lifecycle('image-retrieved', 'images', fingerprint, { causedBy })],
      })),
    watchView: (instanceId, listener) => hub.onView(instanceId, listener),
    eventsAfter: (query) => journal.eventsAfter(query),
    journalSpan: (instanceId) => journal.journalSpan(instanceId),
    subscribe: (instanceId, listener) => hub.onGuest(instanceId, listener),
  };
}
