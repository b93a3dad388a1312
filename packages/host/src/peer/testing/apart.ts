/**
 * `unshare` with these runs a program in a PID namespace of its own, as root of a user namespace that has only the
 * ids of the user who starts it. Any user may do that.
 */
export const APART: readonly string[] = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child'];
