import type { Caller } from '../core/caller.ts';
import type { Instance } from '../core/entities.ts';
import type { GuestBackend } from '../guest/backend.ts';
import type { ImageDirectory } from '../images/image-directory.ts';
import { type Effect, keyEffect, readyEffect } from '../instances/guest-writes.ts';
import type { Needs } from '../instances/needs.ts';
import { WriteGroups } from '../instances/write-groups.ts';
import { lifecycle } from '../model/lifecycle.ts';

/**
 * The functions of the daemon that instances can reach.
 * @param identify finds the caller at the other end of a socket
 */
export function guestCases(
  context: Needs<'hub' | 'journal' | 'model' | 'running'>,
  identify: (fd: number) => Caller | Promise<Caller>,
  images: Pick<ImageDirectory, 'ensure' | 'paths'>,
): GuestBackend {
  const { model, running, hub, journal } = context;
  const groups = new WriteGroups(model);
  /** A write of a run is not stored once that run is over. */
  const write = (instanceId: number, work: (instance: Instance) => Effect) => {
    const run = running.get(instanceId);
    return groups.add(instanceId, (instance) => {
      if (running.get(instanceId) !== run) throw new Error('the run that has written this is over');
      return work(instance);
    });
  };
  return {
    imagePaths: (image) => images.paths(image),
    ensureImage: (image) => images.ensure(image),
    identify,
    view: (instanceId, runNumber) =>
      running.get(instanceId)?.runNumber === runNumber ? model.view(instanceId) : undefined,
    image: (fingerprint) => model.state.images.get(fingerprint),
    setReady: (instanceId, ready) => write(instanceId, (instance) => readyEffect(instance, ready)),
    writeKey: (instanceId, key, value) =>
      write(instanceId, (instance) => keyEffect(instance, model.state.profiles, key, value)),
    imageRetrieved: (instanceId, fingerprint) =>
      write(instanceId, ({ id: causedBy }) => ({
        result: 'stored',
        events: [lifecycle('image-retrieved', 'images', fingerprint, { causedBy })],
      })),
    watchView: (instanceId, listener) => hub.onView(instanceId, listener),
    eventsAfter: (query) => journal.eventsAfter(query),
    journalSpan: (instanceId) => journal.journalSpan(instanceId),
    subscribe: (instanceId, listener) => hub.onGuest(instanceId, listener),
  };
}
