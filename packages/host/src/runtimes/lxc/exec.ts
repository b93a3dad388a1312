import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostError } from '../../core/host-errors.ts';
import { apart } from '../../process/apart.ts';
import type { Looks } from '../../process/look.ts';
import type { ExecProcess, ExecRequest } from '../contract/exec.ts';
import { spawnOnPipes } from './on-pipes.ts';
import { type InstancePaths, instancePaths } from './paths.ts';
import { runOnPty, SIGNAL_BASE } from './pty-process.ts';

/** Where the container is, for LXC's tools. */
export interface AttachTarget {
  readonly id: number;
  readonly lxcPath: string;
  readonly looks: Looks;
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * Runs a command inside a container by lxc-attach(1), which enters its namespaces and cgroups and gives up
 * the rights that the container does not have.
 * @throws CodedError runtime-failed when lxc-attach itself cannot be started
 */
export async function attachExec(target: AttachTarget, request: ExecRequest): Promise<ExecProcess> {
  const { folder, log, config } = prepareLog(instancePaths(target.lxcPath, target.id));
  const { cwd, command } = await inFolder(request, target.looks);
  const args = attachArgs(target, { ...request, command }, config);
  try {
    const process = request.interactive ? interactive(args, cwd, request) : await piped(args, cwd);
    return {
      ...process,
      exited: process.exited.then((code) => judge(code, log)).finally(() => clean(folder)),
    };
  } catch (error) {
    clean(folder);
    throw error;
  }
}

/**
 * lxc-attach writes its messages to a separate file: the process's standard error belongs to the guest. When
 * the disk of the state directory is full, the file is elsewhere: an operator may need to run commands then.
 */
function prepareLog({ execs, config }: Pick<InstancePaths, 'execs' | 'config'>) {
  try {
    mkdirSync(execs, { recursive: true, mode: 0o700 });
    return logIn(join(execs, 'exec-'), config);
  } catch {
    return logIn(join(tmpdir(), 'porthole-exec-'), config);
  }
}

function logIn(prefix: string, own: string) {
  const folder = mkdtempSync(prefix);
  const [log, config] = [join(folder, 'log'), join(folder, 'config')];
  try {
    writeFileSync(config, `lxc.include = ${own}\nlxc.log.file = ${log}\nlxc.log.level = ERROR\n`);
    return { folder, log, config };
  } catch (error) {
    clean(folder);
    throw error;
  }
}

function clean(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function attachArgs(target: AttachTarget, request: ExecRequest, config: string): string[] {
  return [
    // It is quiet only if the command line names no log file; it uses the one that its config names.
    ...['-n', String(target.id), '-P', target.lxcPath, '-f', config, '-q', '-o', 'none', '--clear-env'],
    ...['-u', String(request.user), '-g', String(request.group)],
    ...Object.entries(request.environment).map(([key, value]) => `--set-var=${key}=${value}`),
    '--',
    ...request.command,
  ];
}

/**
 * lxc-attach enters the folder inside that has the same path as its own working folder, or `/` when there is
 * none. For a folder that the host does not have, a shell inside changes to it first; that shell reports a
 * missing command itself.
 */
async function inFolder({ cwd, command }: ExecRequest, looks: Looks) {
  // No part of it may be a link: the kernel gives a process the path of its folder with all links resolved.
  if (cwd === '' || (await looks.isPlainFolder(cwd).catch(() => false))) return { cwd: cwd || '/', command };
  const shell = ['/bin/sh', '-c', 'cd "$0" 2>/dev/null || cd /; exec "$@"', cwd];
  return { cwd: '/', command: [...shell, ...command] };
}

/** Decides by the log of lxc-attach: a command may itself end with 126 or 127. */
function judge(code: number, log: string): number {
  if (code !== NOT_FOUND && code !== NOT_EXECUTABLE) return code;
  const failed = readText(log).includes('Failed to exec');
  if (!failed) return code;
  throw hostError(code === NOT_FOUND ? 'command-not-found' : 'command-not-executable');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function piped(args: string[], cwd: string): Promise<ExecProcess> {
  const [command, ...words] = apart(['lxc-attach', ...args]);
  const { child, stdin, stdout, stderr, closed } = spawnOnPipes(command, words, cwd);
  const exited = closed.then(({ code, signal }) => code ?? SIGNAL_BASE + signalNumber(signal));
  const process: ExecProcess = {
    write: (data) => stdin.write(data),
    endInput: () => void stdin.destroySoon(),
    onOutput(listener) {
      stdout.on('data', (data: Buffer) => listener(1, data));
      stderr.on('data', (data: Buffer) => listener(2, data));
    },
    onDrain: (listener) => void stdin.on('drain', listener),
    pause() {
      stdout.pause();
      stderr.pause();
    },
    resume() {
      stdout.resume();
      stderr.resume();
    },
    resize: () => {},
    signal: (number) => signalInside(child.pid, number),
    exited,
  };
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(process));
    child.once('error', (error: Error) =>
      reject(hostError('runtime-failed', `lxc-attach: ${error.message}`)),
    );
  });
}

function signalNumber(signal: ChildProcess['signalCode']): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGKILL: 9, SIGTERM: 15, SIGINT: 2, SIGHUP: 1 };
  return (signal && numbers[signal]) ?? 0;
}

function interactive(args: string[], cwd: string, request: ExecRequest): ExecProcess {
  const { width, height, environment } = request;
  const term = environment['TERM'] ?? 'xterm';
  const { pid, kill, ...pty } = runOnPty('lxc-attach', args, { cwd, width, height, term });
  return {
    ...pty,
    signal(number) {
      signalInside(pid, number);
      // lxc-attach may be waiting for a program that does not read, and would not even notice the program's
      // end.
      if (number === constants.signals.SIGKILL) kill();
    },
  };
}

/** Signals the process inside, which is the only child of lxc-attach. */
function signalInside(attachPid: number | undefined, signal: number): void {
  const children = readText(`/proc/${attachPid}/task/${attachPid}/children`).trim();
  for (const pid of children.split(' ').filter(Boolean)) {
    try {
      process.kill(Number(pid), signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}
