import { CodedError } from '../base/coded-error.ts';
import type { Caller } from '../core/caller.ts';
import type { Instance } from '../core/entities.ts';
import type { GuestBackend, WriteResult } from '../guest/backend.ts';
import type { ImageDirectory } from '../images/image-directory.ts';
import { type Effect, keyEffect, readyEffect, sharedWeight } from '../instances/guest-writes.ts';
import type { Needs } from '../instances/needs.ts';
import { WriteGroups } from '../instances/write-groups.ts';
import { lifecycle } from '../model/lifecycle.ts';

/** What an instance is told when its host cannot change what the fleet shares. */
const OF_FLEET: ReadonlyMap<string, WriteResult> = new Map([
  ['fleet-cut-off', 'cut-off'],
  ['fleet-outcome-unknown', 'outcome-unknown'],
  ['fleet-not-applied', 'outcome-unknown'],
]);

function withoutFleet(error: unknown): WriteResult {
  const result = error instanceof CodedError ? OF_FLEET.get(error.code) : undefined;
  if (result === undefined) throw error;
  return result;
}

/**
 * The functions of the daemon that instances can reach.
 * @param identify finds the caller at the other end of a socket
 * @param isShared whether the records of instances are shared with other members of a fleet
 */
export function guestCases(
  context: Needs<'hub' | 'journal' | 'model' | 'running'>,
  identify: (fd: number) => Caller | Promise<Caller>,
  images: Pick<ImageDirectory, 'ensure' | 'paths'>,
  isShared = false,
): GuestBackend {
  const { model, running, hub, journal } = context;
  const groups = new WriteGroups(model);
  /** A write of a run is not stored once that run is over. */
  const write = (instanceId: number, work: (instance: Instance) => Effect) => {
    const run = running.get(instanceId);
    const added = groups.add(instanceId, (instance) => {
      if (running.get(instanceId) !== run) throw new Error('the run that has written this is over');
      return work(instance);
    });
    return added.catch(withoutFleet);
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
    writeWeight: (instanceId) => {
      const instance = isShared ? model.instanceById(instanceId) : undefined;
      return instance ? sharedWeight(instance) : 1;
    },
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
