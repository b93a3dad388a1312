import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { caseText, readCase, type StoredCase } from './case-file.ts';

/** The cases that are kept with the code: seeds for each outcome worth reaching, and old findings. */
export const CORPUS = fileURLToPath(new URL('corpus', import.meta.url));
/** Where findings are written. */
export const FINDINGS = fileURLToPath(new URL('findings', import.meta.url));

const EXTENSION = '.case';
const NAME_CHARACTERS = 12;

/** A case and the name of its file. */
export interface NamedCase extends StoredCase {
  readonly name: string;
}

/**
 * The cases in a folder, by name; none when there is no such folder.
 * @throws Error that names an invalid file
 */
export function readCorpus(folder: string): NamedCase[] {
  return namesIn(folder)
    .filter((name) => name.endsWith(EXTENSION))
    .sort()
    .map((name) => ({ name, ...readCaseFile(join(folder, name)) }));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** @throws Error with the path of a file that is not a case */
export function readCaseFile(path: string): StoredCase {
  try {
    return readCase(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** Writes a case into a folder, under a name made from a hash of its text; returns the path. */
export function writeCase(folder: string, sample: StoredCase): string {
  const text = caseText(sample);
  const name = createHash('sha256').update(text).digest('hex').slice(0, NAME_CHARACTERS);
  const path = join(folder, `${sample.target}-${name}${EXTENSION}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text);
  return path;
}
