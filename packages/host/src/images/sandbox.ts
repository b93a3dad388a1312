import type { HostIds } from '../core/host-ids.ts';
import { apart } from '../process/apart.ts';

/** Number of ids of each instance: as many as a Linux system expects to have. */
const IDS = 65_536;

/** The user nobody, on Debian and in the kernel (overflowuid). */
const NOBODY = '65534';

/** Address space of a tool that reads files of strangers: many times what it needs for any real image. */
const MEMORY_BYTES = 4 * 1024 * 1024 * 1024;

/** A tool does not outlive the daemon: while the next daemon runs, no old tool still writes. */
const DIES_WITH_PARENT = '--pdeathsig=KILL';

type Command = readonly [string, ...string[]];

/** Only root has these rights and can give them up; a user who runs the unit tests has none of them. */
const RIGHTS_GIVEN_UP =
  process.geteuid?.() === 0
    ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--bounding-set=-all']
    : [];

/** Turns a command into one that runs without any rights: for tools that read files of strangers. */
export function asNobody(command: readonly string[]): Command {
  const rights = [...RIGHTS_GIVEN_UP, '--no-new-privs', '--inh-caps=-all'];
  const limited = ['prlimit', `--as=${MEMORY_BYTES}`, '--', ...command];
  return apart(['setpriv', ...rights, DIES_WITH_PARENT, '--', ...limited]);
}

/**
 * Turns a command into one that writes an instance's files: root of a user namespace whose uid and gid 0 are
 * `ids` on the host, with no rights over other users' files. If `ids` are 0, those of a privileged instance,
 * it is the host's root, but cannot make device nodes.
 */
export function asInstanceRoot({ uid, gid }: HostIds, command: readonly string[]): Command {
  if (uid === 0) {
    return apart([
      'setpriv',
      '--bounding-set=-mknod',
      '--inh-caps=-mknod',
      DIES_WITH_PARENT,
      '--',
      ...command,
    ]);
  }
  // All versions of unshare accept the comma form (outside, inside, count).
  const map = (first: number) => `${first},0,${IDS}`;
  const namespace = [
    '--user',
    `--map-users=${map(uid)}`,
    `--map-groups=${map(gid)}`,
    '--setuid=0',
    '--setgid=0',
  ];
  return apart(['unshare', ...namespace, '--', 'setpriv', DIES_WITH_PARENT, '--', ...command]);
}
