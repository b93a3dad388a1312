import type { StoredEvent } from '../core/entities.ts';
import type { HostBackend, ServerFacts } from '../host/backend.ts';
import type { FleetCases, MembershipCases } from '../host/fleet-cases.ts';
import { NO_MEMBERSHIP } from '../host/no-fleet.ts';
import type { ImageDirectory } from '../images/image-directory.ts';
import { instanceCases } from '../instances/cases.ts';
import { fileCases } from '../instances/files.ts';
import type { JournalReader, Needs, RunNeeds } from '../instances/needs.ts';
import { imageCases } from '../library/images.ts';
import type { HostJournal, LifecycleEvent, LifecycleMetadata } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import { profileCases } from '../profiles/profiles.ts';
import { backupCases } from './backup-cases.ts';

/** All functions of the daemon that the host API uses. */
export function hostBackend(
  context: RunNeeds & Needs<'adopter' | 'hub' | 'journal' | 'operations' | 'random'>,
  images: ImageDirectory,
  server: ServerFacts,
  backups: Parameters<typeof backupCases>[1],
  fleet: FleetCases | null = null,
  membership: MembershipCases = NO_MEMBERSHIP,
): HostBackend {
  const { operations, hub, model, journal } = context;
  return {
    server,
    instances: instanceCases(context),
    files: fileCases(context),
    profiles: profileCases(context),
    images: imageCases(context, images),
    operations: {
      list: () => operations.list(),
      get: (id) => operations.get(id),
      cancel(id, by) {
        operations.cancel(id);
        const cancelled = lifecycle('operation-cancelled', 'operations', id, { by });
        model.commit([], [cancelled]);
      },
      wait: (id, timeoutSeconds) => operations.wait(id, timeoutSeconds),
      run: (spec) => operations.run(spec),
    },
    backups: backupCases(context, backups),
    journal: hostJournal(journal),
    fleet,
    membership,
    subscribe: (listener) => hub.onHost(listener),
  };
}

/** Settles when it is known whether an instance, or each of all, runs: this takes a moment after a start. */
export function recognisedIn({
  model,
  recognition,
}: Needs<'model' | 'recognition'>): (name?: string) => Promise<void> {
  return async (name) => {
    if (name === undefined) await recognition.known();
    else if (model.isOwn(name)) await recognition.known(model.instance(name).id);
  };
}

const LIFECYCLE: ReadonlySet<string> = new Set(['lifecycle']);

function hostJournal(journal: JournalReader): HostJournal {
  return {
    span: () => journal.journalSpan(null),
    after(position, events, bytes) {
      const page = journal.eventsAfter({
        instanceId: null,
        after: position,
        types: LIFECYCLE,
        events,
        bytes,
      });
      return { events: page.events.map(lifecycleOf), more: page.more };
    },
  };
}

/** All events of the host in the journal are lifecycle events. */
function lifecycleOf({ timestamp, metadata, sequence }: StoredEvent): LifecycleEvent {
  return { type: 'lifecycle', timestamp, metadata: metadata as unknown as LifecycleMetadata, sequence };
}
