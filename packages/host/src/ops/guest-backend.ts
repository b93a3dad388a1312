import { isTrue } from '../core/booleans.ts';
import type { Caller } from '../core/caller.ts';
import { guestEvents } from '../core/changes.ts';
import { expand } from '../core/expand.ts';
import { isGuestKey } from '../core/guest-keys.ts';
import type { EventPage, EventQuery, Image, JournalSpan, StoredEvent } from '../core/model.ts';
import { recordOf } from '../core/records.ts';
import type { GuestView } from '../core/view.ts';
import { withReady } from '../core/volatile.ts';
import type { Context } from './context.ts';
import { lifecycle } from './lifecycle.ts';

/** What the guest API may ask of the daemon; the guest room declares the same shape as its need. */
export interface GuestCases {
  identify(fd: number): Caller | Promise<Caller>;
  view(instanceId: number, boot: number): GuestView | undefined;
  image(fingerprint: string): Image | undefined;
  imagePaths(image: Image): readonly string[];
  setReady(instanceId: number, ready: boolean): void;
  writeKey(instanceId: number, key: string, value: string | null): void;
  imageRetrieved(fingerprint: string): void;
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
  return {
    imagePaths,
    identify,
    view: (instanceId, boot) => (running.get(instanceId)?.boot === boot ? model.view(instanceId) : undefined),
    image: (fingerprint) => model.state.images.get(fingerprint),
    setReady: (instanceId, ready) => setReady(context, instanceId, ready),
    writeKey: (instanceId, key, value) => writeKey(context, instanceId, key, value),
    imageRetrieved: (fingerprint) => model.commit([], [lifecycle('image-retrieved', 'images', fingerprint)]),
    watchView: (instanceId, listener) => hub.onView(instanceId, listener),
    eventsAfter: (query) => journal.eventsAfter(query),
    journalSpan: (instanceId) => journal.journalSpan(instanceId),
    subscribe: (instanceId, listener) => hub.onGuest(instanceId, listener),
  };
}

function setReady({ model }: Context, instanceId: number, ready: boolean): void {
  const instance = model.current(instanceId);
  const was = isTrue(instance.config['volatile.last_state.ready'], false);
  const told = ready ? [lifecycle('instance-ready', 'instances', instance.name)] : [];
  // Saying the same again is told, but changes nothing that would have to be written.
  const changed = was !== ready || instance.config['volatile.last_state.ready'] === undefined;
  const next = { ...instance, config: withReady(instance.config, ready) };
  model.commit(changed ? [{ kind: 'put-instance', instance: next }] : [], told);
}

/** Only ever a key of the instance's own, whatever the edge has let through. */
function writeKey({ model }: Context, instanceId: number, key: string, value: string | null): void {
  if (!isGuestKey(key)) throw new Error(`an instance may not write ${key}`);
  const instance = model.current(instanceId);
  const others = Object.entries(instance.config).filter(([each]) => each !== key);
  const config = recordOf(value === null ? others : [...others, [key, value] as const]);
  const next = { ...instance, config };
  const events = guestEvents(model.expanded(instance), expand(next, model.state.profiles));
  const told = lifecycle('instance-updated', 'instances', instance.name, { context: { key } });
  model.commit(
    [{ kind: 'put-instance', instance: next }],
    [...events.map((event) => ({ ...event, instanceId })), told],
  );
}
