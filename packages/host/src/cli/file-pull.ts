import { constants, createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, open, stat, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { bytesOfText } from '../base/byte-text.ts';
import { ApiError } from '../client/client-errors.ts';
import type { RemoteFile } from '../client/files.ts';
import { readFile } from '../client/files.ts';
import { countBytes } from './file-bytes.ts';
import { readThroughLinks } from './file-links.ts';
import type { InstancePath } from './file-paths.ts';
import { below, nameOf, textOf } from './file-paths.ts';
import { writing } from './local-errors.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

export interface PullOptions {
  readonly recursive?: boolean;
  /** As cp(1): only a target that is a directory gets the sources as its entries. */
  readonly asCp?: boolean;
  readonly createDirs?: boolean;
}

/** Stands for standard output. */
const STDOUT = '-';

/**
 * Copies files and directories of instances to this host. They belong to the user who pulls, and have the
 * modes that they have in the instance, without the bits that would run them as another user.
 */
export async function pull(
  session: Session,
  sources: readonly InstancePath[],
  target: string,
  options: PullOptions,
): Promise<void> {
  if (target === STDOUT) return pullToStdout(session, sources, options);
  const holdsAll = await isDirectory(sources, target);
  for (const source of sources) {
    const found = await readFile(session.client, source.instance, source.path);
    if (found.type === 'directory' && !options.recursive)
      throw new UsageError(`${textOf(source)} is a directory: to pull it, give --recursive`);
    const into = holdsAll || (found.type === 'directory' && !options.asCp);
    await makeParents(found, target, into, options);
    const name = nameOf(source) || source.instance;
    await save(session, found, source, into ? join(target, name) : target, into);
  }
  session.progress.clear();
}

async function pullToStdout(
  session: Session,
  sources: readonly InstancePath[],
  options: PullOptions,
): Promise<void> {
  if (options.recursive) throw new UsageError('Directories cannot be pulled to standard output');
  for (const source of sources) {
    const content = await readThroughLinks(session.client, source);
    await pipeline(content, session.io.stdout, { end: false });
  }
}

/** Makes the directories that what was found is saved in: the target itself, or with `createDirs` those above it. */
async function makeParents(
  found: RemoteFile,
  target: string,
  into: boolean,
  options: PullOptions,
): Promise<void> {
  if (!into && !options.createDirs) return;
  try {
    await mkdir(into ? target : dirname(target), { recursive: true });
  } catch (error) {
    if (found.type === 'file') found.content.destroy();
    throw error;
  }
}

/** Whether the target is a directory, by what is there and by what is said. */
async function isDirectory(sources: readonly InstancePath[], target: string): Promise<boolean> {
  const isThere = await stat(target).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  return isThere || target.endsWith('/') || sources.length > 1;
}

/**
 * Saves a file or link that was read, or a directory with its contents.
 * @param inside whether the instance chose the name: then no link on this host is followed. An earlier pull
 *   may have made a link with the name that the instance now gives to a directory or file.
 */
async function save(
  session: Session,
  found: RemoteFile,
  source: InstancePath,
  target: string,
  inside: boolean,
): Promise<void> {
  if (found.type === 'file') return saveFile(session, found, source, target, inside);
  if (found.type === 'symlink') return saveLink(found.target, target);
  const local = bytesOfText(target);
  await mkdir(local).catch((error) => requireDirectory(error, local));
  for (const name of found.entries) {
    if (name === '' || name === '.' || name === '..' || name.includes('/'))
      throw new ApiError(0, `${textOf(source)} has an entry that cannot be saved: "${name}"`);
    const entry = below(source, name);
    const next = await readFile(session.client, entry.instance, entry.path);
    await save(session, next, entry, join(target, name), true);
  }
  await chmod(local, found.mode & RIGHTS);
}

/** Mode bits without set-user-id, set-group-id and sticky: a guest must not set those on this host. */
const RIGHTS = 0o777;

async function saveFile(
  session: Session,
  found: Extract<RemoteFile, { type: 'file' }>,
  source: InstancePath,
  target: string,
  inside: boolean,
): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const flags = O_WRONLY | O_CREAT | O_TRUNC | (inside ? O_NOFOLLOW : 0);
  const content = await countBytes(session, found.content, `Pulling ${textOf(source)}`, found.size);
  try {
    const file = await writing(target, open(bytesOfText(target), flags, 0o600));
    if ((await file.stat()).isFile()) await file.chmod(found.mode & RIGHTS);
    await writing(target, pipeline(content, createWriteStream('', { fd: file })));
  } finally {
    content.destroy();
  }
}

/** Replaces only another link. */
async function saveLink(to: string, target: string): Promise<void> {
  const local = bytesOfText(target);
  const before = await lstat(local).catch(() => undefined);
  if (before?.isSymbolicLink()) await unlink(local);
  await symlink(bytesOfText(to), local);
}

async function requireDirectory(error: NodeJS.ErrnoException, target: Buffer): Promise<void> {
  if (error.code === 'EEXIST' && (await lstat(target)).isDirectory()) return;
  throw error;
}
