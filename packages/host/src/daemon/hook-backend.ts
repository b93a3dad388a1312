import { open, realpath } from 'node:fs/promises';
import { within } from '../base/within.ts';
import { Adoptions } from '../containers/adoptions.ts';
import { type FolderOf, HookFolder } from '../containers/hook-folder.ts';
import type { HookRequest } from '../containers/hook-request.ts';
import { LooksByUser } from '../containers/looks/looks-by-user.ts';
import { hasGuestApi } from '../containers/machines/leader.ts';
import { askMachined } from '../containers/machines/machined.ts';
import { Machines } from '../containers/machines/machines.ts';
import { NspawnFolder } from '../containers/machines/nspawn-folder.ts';
import { describeContainer } from '../containers/records/describe.ts';
import { describeOfUser } from '../containers/records/describe-user.ts';
import { Removals } from '../containers/removals.ts';
import { containerOf } from '../core/container.ts';
import type { Instance } from '../core/entities.ts';
import { machinePatterns } from '../core/machine-patterns.ts';
import type { InstanceCases } from '../host/backend.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { openHere } from '../native/open-here.ts';
import type { Exit } from '../restart/exit.ts';
import { ClaimFolders } from './claim-folders.ts';
import type { StatePaths } from './state-paths.ts';

/** The folders of hooks, the users with instances, and whether an instance is deleted with its container. */
interface Hooks {
  readonly paths: Pick<StatePaths, 'hooks' | 'claims' | 'devlxd'>;
  /** Users beside root. */
  readonly uids: readonly number[];
  readonly forgets: boolean;
  /** Switches on or off that callers from unknown PID namespaces wait for up to a second. */
  readonly patient: (on: boolean) => void;
  readonly exit: Pick<Exit, 'isTakenOver'>;
}

type HookNeeds = RunNeeds & Needs<'adopter' | 'operations' | 'random'>;

/** The instances are made in the name of root, whose setting allows that. */
const ROOT = { username: 'root', protocol: 'unix', address: '@' } as const;
/** The folder of hooks is watched, and read again in case the kernel has lost a notification. */
const READ_MS = 2_000;
/** The folder in which operators write settings of machines of systemd-nspawn. */
const NSPAWN_SETTINGS = '/etc/systemd/nspawn';
/** The folder in which machined has a file for each running machine. */
const MACHINES = '/run/systemd/machines';
/** A user cannot make the daemon look more often. */
const READ_OF_USER_MS = 250;
/** How long callers may wait when the daemon starts, until it knows the containers of root, or of users. */
const START_MS = 10_000;
const START_OF_USER_MS = 1_000;

/**
 * Begins to take the requests of hooks. Callers in containers that were started without a daemon wait until
 * their instance is known.
 */
export async function takeHooks(
  started: AsyncDisposableStack,
  context: HookNeeds,
  instances: Pick<InstanceCases, 'create'>,
  { paths, uids, forgets, patient, exit }: Hooks,
): Promise<Machines> {
  const looks = new LooksByUser();
  const adoptions = new Adoptions(context, {
    create: (input) => instances.create(input, ROOT),
    describe: (subject) => describeContainer(subject, looks.asRoot),
    describeOfUser: (subject, uid) => describeOfUser(subject, uid, looks.asUser(uid)),
  });
  // Searches for removed containers have limits of their own, so that they do not hold up a start.
  const searches = new LooksByUser();
  const removals = started.adopt(new Removals(context, (owner) => searches.as(owner)), (each) => each.stop());
  if (forgets) removals.begin();
  take({ kind: 'root', path: paths.hooks, uid: 0, open, everyMs: READ_MS }, (request) =>
    request.moment === 'start' ? adoptions.begin(request) : adoptions.end(request),
  );
  const machines = new Machines(
    {
      settings: new NspawnFolder(NSPAWN_SETTINGS, [paths.devlxd, await realpath(paths.devlxd)]),
      patterns: () => machinePatterns(context.model.state.profiles.values()),
      states: MACHINES,
      ask: askMachined,
      hasGuestApi,
      adopt: (machine) => adoptions.beginMachine(machine),
      whileStarting: (work) => context.running.whileStarting(work),
      follows: patient,
    },
    context,
  );
  begin(started.adopt(machines, (each) => each.stop()));
  const claims = new ClaimFolders(paths.claims, context.log);
  // After a restart in place, the next daemon uses the folders as they are.
  started.defer(() =>
    exit.isTakenOver ? Promise.resolve() : claims.close((uid) => hasRunning(context, uid)),
  );
  for (const [uid, path] of await claims.open(uids)) {
    take({ kind: 'user', path, uid, open: openHere, everyMs: READ_OF_USER_MS }, (request) =>
      // The daemon notices the end of a run itself, so the hook of a user need not wait for it.
      request.moment === 'start' ? adoptions.beginOfUser(request, uid) : Promise.resolve(),
    );
  }
  return machines;

  function take(of: FolderOf, perform: (request: HookRequest) => Promise<void>): void {
    const folder = started.adopt(new HookFolder(of, perform, context), (each) => each.stop());
    // A user could leave requests without end. Only that user's containers need them, so the wait is short.
    begin(folder, of.kind === 'root' ? START_MS : START_OF_USER_MS);
  }

  /** @param patience how long callers wait, in milliseconds */
  function begin(work: { begin: () => Promise<void> }, patience = START_MS): void {
    void context.running
      .whileStarting(() => within(patience, work.begin()))
      .catch((error) => context.log.error({ err: error }, 'containers of other runtimes are not adopted'));
  }
}

/** Whether a user of the host has running instances. */
function hasRunning({ model, running }: HookNeeds, uid: number): boolean {
  const isIts = ({ id, config }: Instance) => running.has(id) && containerOf(config)?.owner === String(uid);
  return [...model.state.instances.values()].some(isIts);
}
