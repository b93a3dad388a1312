/** Enters a cgroup, if it is still there, and becomes the program in the further arguments. */
const SCRIPT = '{ echo 0 > "$0"; } 2>/dev/null; exec "$@"';

let procs: string | null = null;

/**
 * Keeps programs that begin from now on out of the daemon's own cgroup, which has a high weight.
 * @param path of the `cgroup.procs` of their cgroup; null if they may be where the daemon is
 */
export function keepProgramsApart(path: string | null): void {
  procs = path;
}

/**
 * The words that run a program outside of the daemon's own cgroup. For programs that work for an instance, or for as
 * long as somebody else decides: the daemon's weight is for its own threads. The program enters the cgroup itself, so
 * nothing of it is ever in the daemon's, and the daemon does not wait for the kernel.
 */
export function apart(words: readonly string[]): [string, ...string[]] {
  const [command = '', ...args] = words;
  return procs === null ? [command, ...args] : ['sh', '-c', SCRIPT, procs, command, ...args];
}
