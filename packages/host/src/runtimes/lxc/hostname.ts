import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { RunSpec } from '../contract/runtime.ts';
import { openFiles } from './files.ts';
import type { IdRanges } from './ids.ts';
import { writeInPlace } from './in-place.ts';
import type { InstancePaths } from './paths.ts';

const FILE = '/etc/hostname';

/**
 * Writes an instance's name into its /etc/hostname before its first start, and before the first start after a rename:
 * an init such as systemd makes the host name what this file says. Later changes of the file are the instance's own.
 * Nothing is written if the image has no such file: the host name is the instance's name then.
 * @throws CodedError runtime-failed, file-failed
 */
export async function writeHostname(
  { name, lower }: RunSpec,
  paths: Pick<InstancePaths, 'upper' | 'hostname'>,
  ids: IdRanges | null,
): Promise<void> {
  if ((await readFile(paths.hostname, 'utf8').catch(() => '')) === name) return;
  if (!(await hasHostname(lower))) return;
  const request = { work: 'file', path: FILE, uid: 0, gid: 0, mode: null, append: false } as const;
  const content = Readable.from([`${name}\n`], { objectMode: false });
  const work = await openFiles(
    { kind: 'stopped', lower, upper: paths.upper, enter: [] },
    ids,
    request,
    content,
  );
  await Promise.all([work.found, work.ended]);
  await writeInPlace(paths.hostname, name);
}

/** Whether an unpacked image has the file; its links lead anywhere, so none is followed. */
async function hasHostname(lower: string): Promise<boolean> {
  const at = (path: string) => lstat(join(lower, path)).catch(() => null);
  const [folder, file] = [await at('etc'), await at(FILE)];
  return folder?.isDirectory() === true && file?.isFile() === true;
}
