import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { bytesOfText, textOfBytes } from '../../base/byte-text.ts';
import { hostError } from '../../core/host-errors.ts';
import { IDS_PER_INSTANCE } from '../../core/host-ids.ts';
import { apart } from '../../process/apart.ts';
import { abandon, DEATH_MS, type End, endOf, isRunning } from '../../process/ending.ts';
import type { FoundFile } from '../contract/files.ts';
import type { FileRequest, FileWork, Init } from '../contract/runtime.ts';
import type { IdRanges } from './ids.ts';

const WALK = readFileSync(new URL('./file-walk.mjs', import.meta.url), 'base64');

/**
 * The program that carries out a request to an instance's files; it says why it is a separate process, and why it is a
 * text, which has the module that it imports in it.
 */
const CHILD = readFileSync(new URL('./file-child.mjs', import.meta.url), 'utf8').replace(
  './file-walk.mjs',
  `data:text/javascript;base64,${WALK}`,
);

/** The programs that start the child come from the host. */
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** Refers to a directory without opening it: the guest's file system is not asked. */
const O_PATH = 0o10000000;

/** A transfer that makes no progress for this long is ended: a guest's file system may never answer. */
const STALL_MS = 60_000;

/** Limit of an answer, that is, of the names in a directory; a child that sends more is killed. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** The child's descriptors. */
const ROOT = 3;
const ANSWER = 4;
const NODE = 5;
const USER_NAMESPACE = 6;

/** Where the root of an instance is. */
export type RootPlace =
  | { readonly kind: 'running'; readonly init: Init }
  /** Stopped: its overlay is mounted for the child alone, and goes away with the child. */
  | {
      readonly kind: 'stopped';
      readonly lower: string;
      readonly upper: string;
      /** Words before a command that let it see the upper folder; empty if it is there. */
      readonly enter: readonly string[];
    };

/**
 * Carries out a request to the files of an instance; see `Runtime.files`.
 * @param givenUp called when a child does not end although it is killed; `ended` settles when it ends after
 *   all
 */
export async function openFiles(
  place: RootPlace,
  ids: IdRanges | null,
  request: FileRequest,
  input: Readable | null,
  givenUp: (ended: Promise<void>) => void = () => {},
): Promise<FileWork> {
  if (place.kind === 'stopped' && place.enter.length === 0) await makeWorkFolder(place.upper, ids);
  const child = startChild(place, ids, request);
  const exited = exitOf(child);
  const work = watchStall(child, givenUp);
  const answered = readAnswer(child, exited);
  work.follow(child.stdout);
  if (input) feed(child, input, work);
  else child.stdin?.end();
  const found = answered.then((answer) => foundFile(answer, contentOf(request, answer, child, exited)));
  return { found, ended: exited.then(() => work.over()) };
}

/** Where LXC expects the work folder of the overlay, and makes it at the first start. */
const workFolder = (upper: string) => join(dirname(upper), 'work');

async function makeWorkFolder(upper: string, ids: IdRanges | null): Promise<void> {
  const folder = workFolder(upper);
  if (await mkdir(folder, { recursive: true })) await chown(folder, ids?.uid ?? 0, ids?.gid ?? 0);
}

function startChild(place: RootPlace, ids: IdRanges | null, request: FileRequest): ChildProcess {
  const init = place.kind === 'running' ? place.init : null;
  const opened: number[] = [];
  const open = (path: string, flags: number) => {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  };
  try {
    // By descriptor: the instance's root may lack the right to walk to this Node.
    const node = open(process.execPath, constants.O_RDONLY);
    const args = [`/proc/self/fd/${NODE}`, '--input-type=module', '-e', CHILD, requestText(request)];
    const inside = `/proc/${init?.pid}`;
    const root = init ? open(`${inside}/root`, O_PATH | constants.O_DIRECTORY) : 'ignore';
    const namespace = init && ids ? open(`${inside}/ns/user`, constants.O_RDONLY) : 'ignore';
    // These were opened by pid: they belong to the init if it is still alive.
    if (init && !init.isAlive()) throw hostError('not-running');
    const [command, ...more] = apart([...entering(place, ids), ...args]);
    return spawn(command, more, {
      cwd: '/',
      env: ENV,
      // A process group of its own, to be killed as a whole.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', root, 'pipe', node, namespace],
    });
  } catch (error) {
    throw init && !init.isAlive() ? hostError('not-running') : error;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** The child takes each character as a byte, so that JSON can carry names that are not UTF-8. */
function requestText(request: FileRequest): string {
  return JSON.stringify({ ...request, path: bytesOfText(request.path).toString('latin1') });
}

const nameText = (name: string) => textOfBytes(Buffer.from(name, 'latin1'));

/** The words before a command that give it the rights of the instance's root, and the root descriptor. */
function entering(place: RootPlace, ids: IdRanges | null): readonly string[] {
  if (place.kind === 'running') {
    return ids ? ['nsenter', `--user=/proc/self/fd/${USER_NAMESPACE}`, '-S', '0', '-G', '0', '--'] : [];
  }
  const { lower, upper, enter } = place;
  const options = [
    `lowerdir=${lower}`,
    `upperdir=${upper}`,
    `workdir=${workFolder(upper)}`,
    ...(ids ? ['userxattr'] : []),
  ];
  const mounting = ['sh', '-c', MOUNT, 'sh', options.join(','), upper];
  const own = ids ? inNewUserNamespace(ids) : ['unshare', '--mount', '--'];
  return [...enter, ...own, ...mounting];
}

/** LXC's tool makes a mount namespace, too: a mount in it does not reach the host. */
function inNewUserNamespace(ids: IdRanges): readonly string[] {
  const map = (kind: 'u' | 'g', first: number) => ['-m', `${kind}:0:${first}:${IDS_PER_INSTANCE}`];
  return ['lxc-usernsexec', ...map('u', ids.uid), ...map('g', ids.gid), '--'];
}

/** The overlay is mounted on its own upper folder: any place will do, and this one exists. */
const MOUNT = `mount -n -t overlay -o "$1" overlay "$2" && exec ${ROOT}<"$2" && shift 2 && exec "$@"`;

/** Settles when the child and all that it has started are gone. */
async function exitOf(child: ChildProcess): Promise<End> {
  child.stdin?.on('error', () => {});
  const end = await endOf(child, 'the files');
  return child.signalCode ? { ...end, failure: 'the transfer was ended' } : end;
}

function kill(child: ChildProcess): void {
  if (!isRunning(child)) return;
  try {
    process.kill(-(child.pid as number), 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Kills a child that makes no progress, and gives up a child that does not end then. */
function watchStall(child: ChildProcess, givenUp: (ended: Promise<void>) => void) {
  const end = () => {
    kill(child);
    // Also when the child has ended: a program that it started may be the one that does not end.
    setTimeout(() => givenUp(abandon(child)), DEATH_MS).unref();
  };
  const timer = setTimeout(end, STALL_MS);
  timer.unref();
  return {
    follow: (stream: Readable | null) => void stream?.on('data', () => timer.refresh()).pause(),
    over: () => clearTimeout(timer),
  };
}

function feed(child: ChildProcess, input: Readable, work: ReturnType<typeof watchStall>): void {
  if (!child.stdin) return;
  work.follow(input);
  // Input that breaks off must not look like the end of the file.
  input.once('close', () => input.readableEnded || kill(child));
  input.pipe(child.stdin);
}

type ChildAnswer = Partial<FoundFile> & { readonly error?: string; readonly message?: string };

async function readAnswer(child: ChildProcess, exited: Promise<End>): Promise<ChildAnswer> {
  const line = await firstLine(child).catch(() => {
    throw hostError('runtime-failed', "The instance's files do not answer");
  });
  if (line) return JSON.parse(line) as ChildAnswer;
  throw hostError('runtime-failed', `The instance's files cannot be reached: ${(await exited).failure}`);
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of child.stdio[ANSWER] as Readable) {
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) kill(child);
    else chunks.push(chunk);
    if (chunk.includes('\n')) break;
  }
  return Buffer.concat(chunks).toString('utf8').split('\n')[0];
}

function foundFile(answer: ChildAnswer, content: Readable): FoundFile {
  const { error, message = '', entries = [], target = '', ...facts } = answer;
  if (error === 'ENOENT') throw hostError('file-not-found');
  if (error) throw hostError('file-failed', message);
  return { ...facts, entries: entries.map(nameText), target: nameText(target), content } as FoundFile;
}

function contentOf(
  request: FileRequest,
  answer: ChildAnswer,
  child: ChildProcess,
  exited: Promise<End>,
): Readable {
  const stdout = child.stdout as Readable;
  if (request.work === 'read' && answer.type === 'file') {
    const content = Readable.from(readToEnd(stdout, exited), { objectMode: false });
    return content.once('close', () => kill(child));
  }
  // Nothing comes, but the end must be read before the child counts as ended.
  stdout.resume();
  return Readable.from([]);
}

/** A file that cannot be read to its end must not look like a shorter one. */
async function* readToEnd(stdout: Readable, exited: Promise<End>): AsyncGenerator<Buffer> {
  yield* stdout;
  const { ok, failure } = await exited;
  if (!ok) throw new Error(failure);
}
