/** Where the daemon keeps everything when neither `--state-dir` nor PORTHOLE_DIR says so; where commands look for it. */
export const DEFAULT_STATE_DIR = '/var/lib/porthole';
