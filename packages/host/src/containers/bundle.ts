import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { OciSpec } from './described.ts';
import { ownRecordOfTexts } from './json.ts';

/** A bundle's config.json has tens of kilobytes. */
const SPEC_MAX_BYTES = 4 * 1024 * 1024;

/** Reads the `config.json` of a bundle. @throws Error if it cannot be read */
export async function readSpec(bundle: string): Promise<OciSpec> {
  const path = join(bundle, 'config.json');
  // Another user may be able to write the bundle, and could put a named pipe there: a read of it would never end.
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const found = await file.stat();
  if (!found.isFile() || found.size > SPEC_MAX_BYTES)
    throw new Error(`${path} is not a plain file, or too large`);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(found.size), 0, found.size, 0);
  const json = JSON.parse(buffer.toString('utf8', 0, bytesRead));
  const texts = (list: unknown): string[] =>
    Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
  return {
    env: texts(json?.process?.env),
    annotations: ownRecordOfTexts(json?.annotations),
    mounts: mountsOf(json?.mounts),
  };
}

function mountsOf(json: unknown): OciSpec['mounts'] {
  if (!Array.isArray(json)) return [];
  return json.map((each) => ({
    destination: String(each?.destination ?? ''),
    source: String(each?.source ?? ''),
  }));
}
