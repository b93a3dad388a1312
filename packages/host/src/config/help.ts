import { DEFAULT_STATE_DIR } from '../base/state-directory.ts';
import { environmentName } from './config.ts';
import { describeSettings } from './settings.ts';

/** The output of `portholed --help`. */
export function helpText(): string {
  const width = Math.max(...describeSettings().map(({ name }) => name.length)) + 2;
  const rows = describeSettings().map(
    ({ name, takes, about }) => `  --${name.padEnd(width)}${about} (${takes})`,
  );
  return [
    'Usage: portholed [--state-dir DIR] [--settings FILE] [--SETTING VALUE]...',
    '       portholed recover [--from FILE] [--dry-run] ...   (replaces a lost or damaged database; --help says how)',
    '',
    'The Porthole daemon: runs instances and serves the guest API inside them, and the host API to operators.',
    '',
    `  --state-dir DIR    where everything is kept (PORTHOLE_DIR; ${DEFAULT_STATE_DIR})`,
    '  --settings FILE    settings as `key: value` lines (PORTHOLE_SETTINGS; settings.yaml in the state directory)',
    '  --check            says by its exit code whether settings and program are fit to start, and etcd to be used',
    '  --check-start      the same without asking etcd, because the daemon can start without it',
    '  --help, --version',
    '',
    `Settings, also as keys in the file and in the environment (${environmentName('log-level')}); a flag wins over the`,
    'environment, that over the file:',
    ...rows,
    '',
    'It stops on SIGTERM and SIGINT: running requests end first, instances continue to run. On SIGHUP it restarts',
    'in the same process, with new settings or a new version, and without a moment in which no client can connect.',
  ].join('\n');
}
