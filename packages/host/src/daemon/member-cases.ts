import { messageOf } from '../base/coded-error.ts';
import { ownVersion } from '../base/version.ts';
import type { Settings } from '../config/settings.ts';
import { Following } from '../fleet/following.ts';
import { ImageFetch } from '../fleet/image-fetch.ts';
import { openIdentity } from '../fleet/link/identity.ts';
import { LinkServer } from '../fleet/link/link-server.ts';
import { checkListening, listenWhenPossible } from '../fleet/link/listening.ts';
import { MemberFleet } from '../fleet/member.ts';
import { membershipCases } from '../fleet/membership.ts';
import { refreshRecord } from '../fleet/record.ts';
import type { ServerFacts } from '../host/backend.ts';
import type { MembershipCases } from '../host/fleet-cases.ts';
import type { HostServer } from '../host/server.ts';
import type { ImageDirectory } from '../images/image-directory.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import type { Store } from '../store/sqlite/store.ts';
import { type MemberSide, opensFleet } from './member.ts';
import type { StatePaths } from './state-paths.ts';

/** What `porthole info` says after this host has found that the fleet does not know it. */
const REMOVED =
  'the fleet does not know this host any more (another member has removed it, or etcd was restored or replaced): ' +
  'it is a single host now, with its instances';

/** What `porthole info` says at a host that has the settings of a member and is none. */
const NOT_YET =
  'the setting store is etcd, but this host is a single host: `porthole cluster enable` makes it a member';

/** The fleet, as the host API uses it. */
export function memberFleet(
  { model }: Needs<'model'>,
  { mirror, shared, agents, cutOff }: MemberSide,
  images: ImageDirectory,
): MemberFleet {
  return new MemberFleet({
    ...{ mirror, store: shared.store, agents, cutOff, state: () => model.state },
    has: (name) => model.isOwn(name),
    write: (changes) => model.follow(changes, []),
    imageFiles: (fingerprint) => {
      const image = model.state.images.get(fingerprint);
      return image ? images.paths(image) : [];
    },
  });
}

/** How this host becomes a member, and how members leave. */
export function membershipOf(
  context: Needs<'clock' | 'log' | 'model' | 'operations' | 'random'>,
  parts: {
    readonly fleet: MemberFleet | null;
    readonly settings: Settings;
    readonly facts: ServerFacts;
    readonly local: Store;
    readonly paths: Pick<StatePaths, 'member'>;
  },
): MembershipCases {
  const { fleet, settings, facts, local, paths } = parts;
  return membershipCases({
    ...{ context, fleet, open: opensFleet(settings, context.log), restart },
    notice: () => noticeOf(fleet, settings, local),
    identity: () => openIdentity(paths.member),
    checkAddress: checkListening,
    facts: {
      name: facts.name,
      address: settings['member-address'],
      version: ownVersion(),
      architecture: facts.architecture,
    },
  });
}

function noticeOf(fleet: MemberFleet | null, settings: Settings, local: Store): string {
  const conflicts = fleet?.following?.conflicts ?? [];
  if (conflicts.length > 0)
    return `other members have instances of the same names, rename or delete one of each: ${conflicts.join(', ')}`;
  if (fleet) return '';
  return local.fleetNotice() || (settings.store === 'etcd' ? NOT_YET : '');
}

/**
 * Prepares to follow the fleet and to answer its other members. Call it before the host API is opened: its parts end
 * after the requests of operators, which need them.
 * @returns begins it; to be called when the host API is open
 */
export function beMember(
  started: AsyncDisposableStack,
  parts: {
    readonly context: RunNeeds & Needs<'random'>;
    readonly member: MemberSide;
    readonly fleet: MemberFleet;
    readonly host: HostServer;
    readonly images: ImageDirectory;
  },
): () => void {
  const { context, member, fleet, host, images } = parts;
  const { mirror, store, identity } = member;
  const { log, model } = context;
  const removed = () => {
    if (fleet.isLeaving) return;
    // The last daemon may have ended while it took this host out of the fleet.
    const notice = fleet.wasLeaving ? '' : REMOVED;
    log.warn({}, notice || 'this host has left the fleet: it is a single host now');
    model.follow(fleet.alone(notice), []);
    restart();
  };
  const imagesGone = (fingerprints: readonly string[]) => void removeFiles(context, images, fingerprints);
  const following = started.adopt(new Following({ context, store, mirror, removed, imagesGone }), (each) =>
    each.stop(),
  );
  const fetch = new ImageFetch({ fleet, agents: member.agents, images, log });
  images.source = (image) => fetch.fetch(image);
  fleet.following = following;
  const known = () =>
    new Map([...mirror.members.values()].map(({ fingerprint, name }) => [fingerprint, name]));
  const serve: ConstructorParameters<typeof LinkServer>[0]['serve'] = (socket, name) =>
    host.serveMember(socket, name);
  const isServing = () => host.isListening;
  const link = started.adopt(new LinkServer({ identity, known, serve, isServing, log }), (each) =>
    each.stop(),
  );
  started.defer(mirror.onChange(() => link.recheck()));
  const abort = new AbortController();
  started.defer(() => abort.abort());
  return () => {
    following.start();
    member.beginning.follows();
    const own = mirror.members.get(mirror.fleet.member);
    if (!own) return;
    const { signal } = abort;
    void listenWhenPossible(link, own.address, log, signal);
    void refreshRecord(fleet, { version: ownVersion(), architecture: own.architecture }, log, signal);
  };
}

/** Removes the files of images that another member has deleted. What is left goes at the next start. */
async function removeFiles(
  { model, roots, log }: Needs<'log' | 'model' | 'roots'>,
  images: ImageDirectory,
  fingerprints: readonly string[],
): Promise<void> {
  try {
    for (const fingerprint of fingerprints) await images.remove(fingerprint);
    await roots.sweep((base) => model.needsRoot(base));
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'files of a deleted image could not be removed');
  }
}

/** As an operator's SIGHUP: operations that run have time to end, so that the operator gets the answer. */
function restart(): void {
  process.kill(process.pid, 'SIGHUP');
}
