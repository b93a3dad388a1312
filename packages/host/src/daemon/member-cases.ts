import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { ownVersion } from '../base/version.ts';
import type { Settings } from '../config/settings.ts';
import { Following } from '../fleet/following.ts';
import { ImageFetch } from '../fleet/image-fetch.ts';
import { readAddress } from '../fleet/link/address.ts';
import { openIdentity } from '../fleet/link/identity.ts';
import { LinkServer } from '../fleet/link/link-server.ts';
import { MemberFleet } from '../fleet/member.ts';
import { membershipCases } from '../fleet/membership.ts';
import type { ServerFacts } from '../host/backend.ts';
import type { MembershipCases } from '../host/fleet-cases.ts';
import type { HostServer } from '../host/server.ts';
import type { ImageDirectory } from '../images/image-directory.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { SqliteShared } from '../store/sqlite/shared.ts';
import type { Store } from '../store/sqlite/store.ts';
import { type MemberSide, opensFleet } from './member.ts';
import type { StatePaths } from './state-paths.ts';

/** What operators read at this host after another member has removed it. */
const REMOVED =
  'another member of the fleet has removed this host: it is a single host now, with its instances';

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
    ...{ context, fleet, open: opensFleet(settings, context.log), notice: local.fleetNotice(), restart },
    own: new SqliteShared(local),
    identity: () => openIdentity(paths.member),
    facts: {
      name: facts.name,
      address: settings['member-address'],
      version: ownVersion(),
      architecture: facts.architecture,
    },
  });
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
    log.warn({}, REMOVED);
    model.follow(fleet.alone(REMOVED), []);
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
  const link = started.adopt(new LinkServer({ identity, known, serve, log }), (each) => each.stop());
  started.defer(mirror.onChange(() => link.recheck()));
  const abort = new AbortController();
  started.defer(() => abort.abort());
  return () => {
    following.start();
    const address = mirror.members.get(mirror.fleet.member)?.address ?? '';
    void untilDone(() => link.listen(readAddress(address)), { log, signal: abort.signal, address });
  };
}

/** The time between tries to listen for other members. */
const LISTEN_AGAIN_MS = 5_000;

/** An address that cannot be used now, as before its interface is up, must not keep instances without answers. */
async function untilDone(
  listen: () => Promise<unknown>,
  { log, signal, address }: { log: Log; signal: AbortSignal; address: string },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await listen();
      return;
    } catch (error) {
      log.error({ address, reason: messageOf(error) }, 'other members cannot reach this one');
      await sleep(LISTEN_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }
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
