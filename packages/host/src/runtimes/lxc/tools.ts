import { readFileSync } from 'node:fs';
import { hostError } from '../../core/host-errors.ts';
import { apart } from '../../process/apart.ts';
import { run } from '../../process/run.ts';
import { startReason } from './reasons.ts';

/** LXC's tools may take this long to answer; a start may have to wait for a slow host. */
const START_TIMEOUT_MS = 60_000;
const QUESTION_TIMEOUT_MS = 10_000;

/** Version of the installed LXC; empty when it does not say. */
export async function lxcVersion(): Promise<string> {
  const result = await run('lxc-start', ['--version'], { timeoutMs: QUESTION_TIMEOUT_MS });
  return result.ok ? result.stdout.trim() : '';
}

/**
 * Starts a container in the background, and waits until its init runs.
 * @throws CodedError runtime-failed with the reason out of LXC's log
 */
export async function startContainer(
  lxcPath: string,
  id: number,
  config: string,
  log: string,
): Promise<void> {
  const args = ['-n', String(id), '-P', lxcPath, '-f', config, '-d'];
  // A start that hangs dies with the daemon: it would start a container later that no daemon knows.
  const [command, ...words] = apart(['setpriv', '--pdeathsig=KILL', '--', 'lxc-start', ...args]);
  const result = await run(command, words, { timeoutMs: START_TIMEOUT_MS, cwd: '/' });
  if (result.ok) return;
  // If LXC goes on in the background, the container must not run without the daemon's knowledge.
  await stopContainer(lxcPath, id);
  throw hostError('runtime-failed', reasonOf(log) ?? result.failure.replace(/^(?:setpriv|sh)/, 'lxc-start'));
}

/** Kills a container; not an error if it does not run. */
export async function stopContainer(lxcPath: string, id: number): Promise<void> {
  await run('lxc-stop', ['-n', String(id), '-P', lxcPath, '-k'], { timeoutMs: QUESTION_TIMEOUT_MS });
}

/**
 * Removes a folder with all that an instance has made in it: rm(1) walks by descriptors, so any depth of
 * folders works, and it leaves other file systems alone.
 * @throws CodedError runtime-failed
 */
export async function removeTree(folder: string): Promise<void> {
  const remove = ['rm', '-rf', '--one-file-system', '--', folder];
  // What it removes late could be the next daemon's.
  const [command, ...args] = apart(['setpriv', '--pdeathsig=KILL', '--', ...remove]);
  const result = await run(command, args);
  if (!result.ok) throw hostError('runtime-failed', result.failure);
}

/**
 * The pid of a running container's init on the host; null when it does not run.
 * @throws CodedError runtime-failed when LXC does not answer, which does not mean that it is not running
 */
export async function initPid(lxcPath: string, id: number): Promise<number | null> {
  const args = ['-n', String(id), '-P', lxcPath, '-p', '-H'];
  const result = await run('lxc-info', args, { timeoutMs: QUESTION_TIMEOUT_MS });
  if (result.signal !== null) throw hostError('runtime-failed', result.failure);
  const pid = Number(result.stdout.trim());
  return result.ok && pid > 0 ? pid : null;
}

/**
 * Freezes all processes of a container, or lets them go on.
 * @throws CodedError runtime-failed; none of them is frozen then
 */
export async function setFrozen(lxcPath: string, id: number, frozen: boolean): Promise<void> {
  const args = ['-n', String(id), '-P', lxcPath];
  const result = await run(frozen ? 'lxc-freeze' : 'lxc-unfreeze', args, { timeoutMs: QUESTION_TIMEOUT_MS });
  if (result.ok) return;
  if (frozen) await run('lxc-unfreeze', args, { timeoutMs: QUESTION_TIMEOUT_MS });
  throw hostError('runtime-failed', result.failure);
}

/**
 * Lets a privileged container use a device; `numbers` as `c MAJOR:MINOR`.
 * @throws CodedError runtime-failed
 */
export function allowDevice(lxcPath: string, id: number, numbers: string): Promise<void> {
  return ruleDevice('devices.allow', lxcPath, id, numbers);
}

/** Reverts {@link allowDevice}. @throws CodedError runtime-failed */
export function denyDevice(lxcPath: string, id: number, numbers: string): Promise<void> {
  return ruleDevice('devices.deny', lxcPath, id, numbers);
}

async function ruleDevice(
  file: 'devices.allow' | 'devices.deny',
  lxcPath: string,
  id: number,
  numbers: string,
): Promise<void> {
  const args = ['-n', String(id), '-P', lxcPath, file, `${numbers} rwm`];
  const result = await run('lxc-cgroup', args, { timeoutMs: QUESTION_TIMEOUT_MS });
  if (!result.ok) throw hostError('runtime-failed', result.failure);
}

/** The first errors in LXC's log, which name the cause; later ones are its consequences. */
function reasonOf(log: string): string | null {
  const CAUSES_MAX = 2;
  const lines = readLog(log).split('\n');
  const errors = lines
    .filter((line) => / ERROR /.test(line))
    .map((line) => startReason(line.replace(/^.*? - .*? - /, '')));
  return errors.length === 0 ? null : [...new Set(errors.slice(0, CAUSES_MAX))].join('; ');
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
