import type { HostIds } from '../core/host-ids.ts';

/** Ids of each instance: as many as a Linux system expects to have. */
const IDS = 65_536;

/** Nobody, on Debian and in the kernel (overflowuid). */
const NOBODY = '65534';

/** Address space of a tool that reads what strangers made: many times what it needs for any real image. */
const MEMORY_BYTES = 4 * 1024 * 1024 * 1024;

/** A tool does not outlive the daemon: the next one finds nothing that still writes. */
const DIES_WITH_PARENT = '--pdeathsig=KILL';

type Command = readonly [string, ...string[]];

/** Only root can give these up; nobody else, such as who runs the unit tests, has them. */
const RIGHTS_GIVEN_UP =
  process.geteuid?.() === 0
    ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--bounding-set=-all']
    : [];

/** Turns a command into one that runs with no rights at all: for tools that read what strangers made. */
export function asNobody(command: readonly string[]): Command {
  const rights = [...RIGHTS_GIVEN_UP, '--no-new-privs', '--inh-caps=-all'];
  const limited = ['prlimit', `--as=${MEMORY_BYTES}`, '--', ...command];
  return ['setpriv', ...rights, DIES_WITH_PARENT, '--', ...limited];
}

/**
 * Turns a command into one that writes an instance's files: root of a user namespace whose uid and gid 0 are
 * `ids` on the host, with no rights over anybody else's files. At 0, the ids of a privileged instance, it
 * is the host's root, which cannot make device nodes.
 */
export function asInstanceRoot({ uid, gid }: HostIds, command: readonly string[]): Command {
  if (uid === 0) {
    return ['setpriv', '--bounding-set=-mknod', '--inh-caps=-mknod', DIES_WITH_PARENT, '--', ...command];
  }
  // The comma form (outside, inside, count) is the one that all versions of unshare take.
  const map = (first: number) => `${first},0,${IDS}`;
  const namespace = [
    '--user',
    `--map-users=${map(uid)}`,
    `--map-groups=${map(gid)}`,
    '--setuid=0',
    '--setgid=0',
  ];
  return ['unshare', ...namespace, '--', 'setpriv', DIES_WITH_PARENT, '--', ...command];
}
