import { CodedError, messageOf } from './base/coded-error.ts';
import { DEFAULT_STATE_DIR, environmentName, readConfig } from './config.ts';
import { startDaemon } from './daemon.ts';
import { ownVersion } from './server-facts.ts';
import { describeSettings } from './settings.ts';

const USAGE = 2;
const FAILURE = 1;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const invocation = readConfig({ args: process.argv.slice(2), env: process.env });
    if (invocation.kind === 'help') return print(helpText());
    if (invocation.kind === 'version') return print(ownVersion());
    // From now on: a signal that comes while the daemon starts is obeyed once it can be stopped properly.
    const signal = firstSignal();
    const daemon = await startDaemon(invocation.config);
    await signal;
    await daemon.stop();
    // What an operator has begun and nobody waits for any more must not act without lock and store.
    process.exit(0);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    process.stderr.write(`portholed: ${messageOf(error)}\n`);
    return error.code === 'bad-settings' ? USAGE : FAILURE;
  }
}

/** A second signal ends the process at once: somebody is in a hurry, and a crash loses nothing. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function helpText(): string {
  const width = Math.max(...describeSettings().map(({ name }) => name.length)) + 2;
  const rows = describeSettings().map(
    ({ name, takes, about }) => `  --${name.padEnd(width)}${about} (${takes})`,
  );
  return [
    'Usage: portholed [--state-dir DIR] [--settings FILE] [--SETTING VALUE]...',
    '',
    'The Porthole daemon: runs instances and serves the guest API inside them, and the host API to operators.',
    '',
    `  --state-dir DIR    where everything is kept (PORTHOLE_DIR; ${DEFAULT_STATE_DIR})`,
    '  --settings FILE    settings as `key: value` lines (PORTHOLE_SETTINGS; settings.yaml in the state directory)',
    '  --help, --version',
    '',
    `Settings, also as keys in the file and in the environment (${environmentName('log-level')}); a flag wins over the`,
    'environment, that over the file:',
    ...rows,
    '',
    'It stops on SIGTERM and SIGINT: running requests end first, instances go on running.',
  ].join('\n');
}
