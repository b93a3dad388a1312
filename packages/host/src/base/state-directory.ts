/** The state directory, for the daemon and for commands, if neither `--state-dir` nor PORTHOLE_DIR is set. */
export const DEFAULT_STATE_DIR = '/var/lib/porthole';
