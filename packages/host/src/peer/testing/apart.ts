/**
 * `unshare` with these runs a program in a PID namespace of its own, as root of a user namespace that has the ids of
 * whoever starts it: what anybody may do.
 */
export const APART: readonly string[] = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child'];
