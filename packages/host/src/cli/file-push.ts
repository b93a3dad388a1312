import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { bytesOfText, textOfBytes } from '../base/byte-text.ts';
import { ApiError } from '../client/client-errors.ts';
import type { FileWrite } from '../client/files.ts';
import { deleteFile, typeAt, writeFile } from '../client/files.ts';
import { countBytes } from './file-bytes.ts';
import { checkOwners } from './file-owners.ts';
import type { InstancePath } from './file-paths.ts';
import { below, parentsOf } from './file-paths.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

export interface PushOptions {
  readonly recursive?: boolean;
  /** As cp(1): only a target that is a directory gets the sources as its entries. */
  readonly asCp?: boolean;
  readonly createDirs?: boolean;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** Stands for standard input. */
const STDIN = '-';

/** Mode of a file that comes from standard input, which may be a secret. */
const STDIN_MODE = 0o600;

/** Mode of directories that are made on the way to the target. */
const PARENT_MODE = 0o755;

/** The bits that `chmod` sets. */
const MODE_BITS = 0o7777;

/** Copies files and directories of this host into an instance. */
export async function push(
  session: Session,
  sources: readonly string[],
  target: InstancePath,
  options: PushOptions,
): Promise<void> {
  const into = await isDirectory(session, sources, target, options);
  if (into && sources.includes(STDIN))
    throw new UsageError('Standard input has no name: the target must be the path of a file');
  if (options.recursive) await checkOwners(session, target.instance, sources);
  const made: InstancePath[] = [];
  try {
    if (options.createDirs) await makeParents(session, into ? below(target, 'x') : target, options, made);
    for (const source of sources) {
      const place = into ? below(target, basename(resolve(source))) : target;
      if (source === STDIN) await pushStdin(session, place, options);
      else if (options.recursive) await pushTree(session, source, place);
      else await pushFile(session, source, place, options);
    }
  } catch (error) {
    await removeEmpty(session, made);
    throw error;
  }
  session.progress.clear();
}

/** After a failure: directories in which there is something by now stay. */
async function removeEmpty({ client }: Session, made: readonly InstancePath[]): Promise<void> {
  try {
    for (const { instance, path } of made.toReversed()) await deleteFile(client, instance, path);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

async function isDirectory(
  session: Session,
  sources: readonly string[],
  target: InstancePath,
  options: PushOptions,
): Promise<boolean> {
  if (target.path.endsWith('/') || sources.length > 1 || (options.recursive && !options.asCp)) return true;
  if (sources[0] === STDIN) return false;
  return (await typeAt(session.client, target.instance, target.path)) === 'directory';
}

/** Makes missing directories; existing ones are not changed. @param made gets each that was made */
async function makeParents(
  session: Session,
  to: InstancePath,
  { uid, gid }: PushOptions,
  made: InstancePath[],
): Promise<void> {
  const parents = parentsOf(to.path);
  const missing: string[] = [];
  for (const parent of parents.toReversed()) {
    if ((await typeAt(session.client, to.instance, parent)) !== undefined) break;
    missing.unshift(parent);
  }
  for (const path of missing) {
    const place = { ...to, path };
    await write(session, place, { type: 'directory', mode: PARENT_MODE, ...ids(uid, gid) });
    made.push(place);
  }
}

async function pushStdin(session: Session, to: InstancePath, options: PushOptions): Promise<void> {
  const { uid, gid, mode = STDIN_MODE } = options;
  await write(session, to, { type: 'file', mode, ...ids(uid, gid), content: session.io.stdin });
}

/** A link is followed. Owner and mode are the file's own, unless the options say otherwise. */
async function pushFile(
  session: Session,
  source: string,
  to: InstancePath,
  options: PushOptions,
): Promise<void> {
  const local = bytesOfText(source);
  const facts = await stat(local);
  if (facts.isDirectory()) throw new UsageError(`${source} is a directory: to push it, give --recursive`);
  const content = await countBytes(session, createReadStream(local), `Pushing ${source}`, facts.size);
  const mode = options.mode ?? facts.mode & MODE_BITS;
  await write(session, to, {
    type: 'file',
    mode,
    uid: options.uid ?? facts.uid,
    gid: options.gid ?? facts.gid,
    content,
  });
}

/** A directory with all that is in it; links stay links. */
async function pushTree(session: Session, source: string, to: InstancePath): Promise<void> {
  const local = bytesOfText(source);
  const facts = await lstat(local);
  if (facts.isFile()) return pushFile(session, source, to, {});
  const owner = { uid: facts.uid, gid: facts.gid };
  if (facts.isSymbolicLink()) {
    const content = Readable.from([await readlink(local, 'buffer')]);
    return write(session, to, { type: 'symlink', ...owner, content });
  }
  if (!facts.isDirectory())
    throw new ApiError(0, `${source} is neither a file nor a directory nor a symbolic link`);
  await write(session, to, { type: 'directory', mode: facts.mode & MODE_BITS, ...owner });
  const names = (await readdir(local, { encoding: 'buffer' })).map(textOfBytes);
  for (const name of names) await pushTree(session, join(source, name), below(to, name));
}

async function write(session: Session, to: InstancePath, what: FileWrite): Promise<void> {
  await writeFile(session.client, to.instance, to.path, what);
}

function ids(uid: number | undefined, gid: number | undefined): Pick<FileWrite, 'uid' | 'gid'> {
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
}
