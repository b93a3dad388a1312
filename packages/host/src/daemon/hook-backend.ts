import { chmod, chown, mkdir, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { within } from '../base/within.ts';
import { Adoptions } from '../containers/adoptions.ts';
import { type FolderOf, HookFolder } from '../containers/hook-folder.ts';
import type { HookRequest } from '../containers/hook-request.ts';
import { hasGuestApi } from '../containers/machines/leader.ts';
import { askMachined } from '../containers/machines/machined.ts';
import { Machines } from '../containers/machines/machines.ts';
import { NspawnFolder } from '../containers/machines/nspawn-folder.ts';
import { describeContainer } from '../containers/records/describe.ts';
import { Removals } from '../containers/removals.ts';
import type { InstanceCases } from '../host/backend.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import type { StatePaths } from './state-paths.ts';

/** Where hooks leave their requests, whose containers are adopted, and whether an instance goes with its container. */
interface Hooks {
  readonly paths: Pick<StatePaths, 'hooks' | 'claims' | 'devlxd'>;
  /** Users beside root. */
  readonly uids: readonly number[];
  readonly forgets: boolean;
  /** Makes callers of unknown namespaces wait a moment, or not. */
  readonly patient: (on: boolean) => void;
}

type HookNeeds = RunNeeds & Needs<'adopter' | 'operations' | 'random'>;

/** Only root can leave a request in the folder of hooks. */
const ROOT = { username: 'root', protocol: 'unix', address: '@' } as const;
/** The folder of hooks is watched, and read again in case the kernel has lost a notification. */
const READ_MS = 2_000;
/** Settings of machines of systemd-nspawn that an operator has written. */
const NSPAWN_SETTINGS = '/etc/systemd/nspawn';
/** Where machined keeps the machines that run. */
const MACHINES = '/run/systemd/machines';
/** A user cannot make the daemon look more often. */
const READ_OF_USER_MS = 250;
/** Callers may wait for so long at a start of the daemon, until the containers of users are known. */
const START_OF_USER_MS = 1_000;

/**
 * Begins to take the requests of hooks. Callers in containers that were started without a daemon wait until
 * their instance is known.
 */
export async function takeHooks(
  started: AsyncDisposableStack,
  context: HookNeeds,
  instances: Pick<InstanceCases, 'create'>,
  { paths, uids, forgets, patient }: Hooks,
): Promise<void> {
  const adoptions = new Adoptions(context, {
    create: (input) => instances.create(input, ROOT),
    describe: describeContainer,
  });
  const removals = started.adopt(new Removals(context), (each) => each.stop());
  if (forgets) removals.begin();
  take({ path: paths.hooks, uid: 0, everyMs: READ_MS }, (request) =>
    request.moment === 'start' ? adoptions.begin(request) : adoptions.end(request),
  );
  const machines = new Machines(
    {
      settings: new NspawnFolder(NSPAWN_SETTINGS, [paths.devlxd, await realpath(paths.devlxd)]),
      states: MACHINES,
      ask: askMachined,
      hasGuestApi,
      adopt: (...machine) => context.running.whileStarting(() => adoptions.beginMachine(...machine)),
      follows: patient,
    },
    context,
  );
  begin(started.adopt(machines, (each) => each.stop()));
  for (const [uid, path] of await foldersOfUsers(paths.claims, uids)) {
    take({ path, uid, everyMs: READ_OF_USER_MS }, (request) =>
      request.moment === 'start' ? adoptions.beginOfUser(request, uid) : adoptions.end(request),
    );
  }

  function take(of: FolderOf, perform: (request: HookRequest) => Promise<void>): void {
    const folder = started.adopt(new HookFolder(of, perform, context), (each) => each.stop());
    // A user could leave requests without end, and nobody else waits for them.
    begin(folder, of.uid === 0 ? -1 : START_OF_USER_MS);
  }

  /** @param patience how long callers wait, in milliseconds; -1 for until the end */
  function begin(work: { begin: () => Promise<void> }, patience = -1): void {
    void context.running
      .whileStarting(() => within(patience, work.begin()))
      .catch((error) => context.log.error({ err: error }, 'containers of other runtimes are not adopted'));
  }
}

/**
 * Makes a folder for each user, which only that user can enter. The folder of a user who may ask no more is root's
 * from now on: to remove what a user has made would be to follow that user's links.
 */
async function foldersOfUsers(claims: string, uids: readonly number[]): Promise<Map<number, string>> {
  const folders = new Map(uids.map((uid) => [uid, join(claims, String(uid))]));
  const wanted = new Set(folders.values());
  for (const name of await readdir(claims)) {
    const path = join(claims, name);
    if (!wanted.has(path)) await chown(path, 0, 0);
  }
  for (const [uid, path] of folders) {
    await mkdir(path, { recursive: true });
    await chmod(path, 0o700);
    await chown(path, uid, -1);
  }
  return folders;
}
