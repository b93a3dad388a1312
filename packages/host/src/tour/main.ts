import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../base/coded-error.ts';
import { DEFAULT_STATE_DIR } from '../base/state-directory.ts';
import { type DaemonProcess, isServed, startDaemonProcess } from './daemon-process.ts';
import { deleteAll } from './steps.ts';
import { takeTour } from './tour.ts';
import { Transcript } from './transcript.ts';

const BIN = fileURLToPath(new URL('../../../../bin', import.meta.url));

/** Others must be able to enter each folder above an instance's root filesystem; /tmp may not allow it. */
const TEMPORARY = '/var/tmp/porthole-tour-';

const HELP = `Usage: npm start [-- --tour-only] [-- --state-dir DIR]

Runs the Porthole daemon, launches a first instance and shows from inside it what instances can ask their host.
Afterwards it goes on serving until Ctrl-C.

  --tour-only        on temporary state; cleans up and exits with 0, or 1 when a step failed
  --state-dir DIR    where the daemon keeps everything (PORTHOLE_DIR; ${DEFAULT_STATE_DIR})
`;

const OUTPUT = {
  out: (text: string) => process.stdout.write(text),
  error: (text: string) => process.stderr.write(text),
};

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      'tour-only': { type: 'boolean', default: false },
      'state-dir': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = firstSignal();
  if (values['tour-only']) {
    const stateDir = mkdtempSync(TEMPORARY);
    try {
      return await show(stateDir, { stay: false, interrupted });
    } finally {
      rmSync(stateDir, { recursive: true, force: true });
    }
  }
  const stateDir = values['state-dir'] ?? process.env['PORTHOLE_DIR'] ?? DEFAULT_STATE_DIR;
  return await show(stateDir, { stay: true, interrupted });
}

async function show(
  stateDir: string,
  options: { stay: boolean; interrupted: Promise<void> },
): Promise<number> {
  const env = { ...process.env, PORTHOLE_DIR: stateDir };
  const tour = new Transcript([`${BIN}/porthole`], env, OUTPUT.out);
  let daemon: DaemonProcess | undefined;
  try {
    if (await isServed(join(stateDir, 'unix.socket'))) tour.say(`A daemon serves ${stateDir} already.`);
    else daemon = await startDaemonProcess(BIN, stateDir, env);
    const passed = await Promise.race([takeTour(tour, OUTPUT), options.interrupted.then(() => false)]);
    if (passed && options.stay && daemon) await serve(stateDir, daemon, options.interrupted);
    if (!options.stay) await deleteAll(tour);
    return passed ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  } finally {
    await daemon?.stop();
  }
}

async function serve(stateDir: string, daemon: DaemonProcess, interrupted: Promise<void>): Promise<void> {
  process.stdout.write(
    [
      '',
      `The daemon goes on serving ${stateDir}. In another terminal:`,
      '',
      `   ${BIN}/porthole list`,
      `   ${BIN}/porthole exec first -- sh`,
      '',
      'Ctrl-C stops the daemon; instances go on running.',
      '',
    ].join('\n'),
  );
  await Promise.race([interrupted, daemon.ended]);
}

/** Ctrl-C may come twice, from the terminal and through npm: the second one changes nothing. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}
