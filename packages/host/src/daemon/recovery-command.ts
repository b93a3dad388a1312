import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { CodedError } from '../base/coded-error.ts';
import { backupSettings } from '../config/daemon-limits.ts';
import { RECOVERY_HELP, readRecovery } from '../config/recovery-flags.ts';
import { recoverDirectory } from '../recovery/recover.ts';
import { describeEnd, describePlan, recoveryJson } from '../recovery/report.ts';
import type { Command } from '../restart/successor.ts';
import { lockDirectory } from './lock-directory.ts';
import { MEMBER_FILE } from './state-paths.ts';

const OK = 0;

/** Carries out `portholed recover`. @param args after that word @returns the exit code @throws CodedError */
export async function recoveryCommand({ env }: Command, args: readonly string[]): Promise<number> {
  const asked = readRecovery({ args, env });
  const print = (text: string) => process.stdout.write(`${text}\n`);
  if (asked.kind === 'help') {
    print(RECOVERY_HELP);
    return OK;
  }
  const { config, json, dryRun } = asked;
  const lock = join(config.stateDir, 'lock');
  if (!existsSync(config.stateDir))
    throw new CodedError(
      'no-directory',
      404,
      `There is no state directory ${config.stateDir}: name it with --state-dir`,
    );
  // Held until this process ends.
  await lockDirectory(lock);
  const request = {
    ...asked,
    stateDir: config.stateDir,
    folder: backupSettings(config).folder,
    now: systemClock.now(),
  };
  const warn = (sentence: string) => process.stderr.write(`portholed: ${sentence}\n`);
  const done = await recoverDirectory(request, warn, (plan) => {
    if (!json) print(describePlan(plan));
  });
  print(json ? recoveryJson(done, dryRun) : describeEnd(done, dryRun));
  const wasMember = existsSync(join(config.stateDir, MEMBER_FILE));
  if (wasMember && !json && !dryRun) print(MEMBER_AGAIN);
  return OK;
}

/** What the new database does not say: the fleet may have gone on without this host. */
const MEMBER_AGAIN =
  'If this host was a member of a fleet, it is a single host now: `porthole cluster enable` makes it that member again.';
