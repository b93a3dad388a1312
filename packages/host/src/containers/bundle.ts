import { join } from 'node:path';
import type { OciSpec } from './described.ts';
import { ownRecordOfTexts } from './json.ts';
import type { Looked } from './looks/looked.ts';

/** A bundle's config.json has tens of kilobytes. */
const SPEC_MAX_BYTES = 4 * 1024 * 1024;

/** The path of a container's configuration in its bundle. */
export const specOf = (bundle: string) => join(bundle, 'config.json');

/**
 * Reads the `config.json` of a bundle. Another user than root may be able to write it.
 * @param looked has looked at the file
 * @throws Error if the file cannot be read
 */
export function readSpec(bundle: string, looked: Looked): OciSpec {
  const bytes = looked.bytes(specOf(bundle));
  if (bytes === null || bytes.length > SPEC_MAX_BYTES)
    throw new Error(`${specOf(bundle)} is not a plain file, or too large`);
  const json = JSON.parse(bytes.toString());
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
