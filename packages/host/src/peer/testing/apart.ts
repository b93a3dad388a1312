/**
 * With these arguments `unshare` runs a program in a new PID namespace, as root of a user namespace that has
 * only the ids of the user who starts it. Any user may do that.
 */
export const APART: readonly string[] = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child'];
