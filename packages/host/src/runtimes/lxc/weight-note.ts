import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupVersion } from './cgroups.ts';
import { USUAL_WEIGHT, WEIGHT_FILE } from './resource-limits.ts';

/** The least that the kernel takes. */
const LEAST: Readonly<Record<CgroupVersion, number>> = { cgroup: 2, cgroup2: 1 };

/** What a lowered weight was, and what it is now, as the file of the cgroup says it. */
interface WeightNote {
  readonly before: number;
  readonly lowered: number;
}

/** The weight of a cgroup, and the note with which a later daemon can put it back. */
export interface WeightPlace {
  /** Folders of the cgroup in all hierarchies; one of them has a weight, unless the host does not allow it. */
  readonly folders: readonly string[];
  readonly note: string;
}

/**
 * Lowers the weight of a cgroup, after it has noted what it was.
 * @returns false if the weight was this low before: then nothing is changed
 * @throws if the host gives the cgroup no weight, or the note cannot be written
 */
export async function lowerWeight({ folders, note }: WeightPlace, percent: number): Promise<boolean> {
  const found = weightIn(folders);
  if (!found)
    throw new Error('this host gives instances no weight: they have no cgroup with the controller cpu');
  const { file, version } = found;
  const lowered = Math.max(LEAST[version], Math.round((USUAL_WEIGHT[version] * percent) / 100));
  const before = await weightOf(file);
  if (before <= lowered) return false;
  // Written first: a daemon that dies between the two leaves a note that changes nothing.
  await writeFile(note, JSON.stringify({ before, lowered }), { mode: 0o600 });
  await writeFile(file, String(lowered));
  return true;
}

/** Undoes `lowerWeight`, unless the weight is not what it has made it. Without a note nothing happens. */
export async function raiseWeight({ folders, note }: WeightPlace): Promise<void> {
  const noted = await readNote(note);
  const file = weightIn(folders)?.file;
  if (noted && file !== undefined && (await weightOf(file)) === noted.lowered)
    await writeFile(file, String(noted.before));
  await rm(note, { force: true });
}

function weightIn(folders: readonly string[]): { file: string; version: CgroupVersion } | undefined {
  const all = (['cgroup', 'cgroup2'] as const).flatMap((version) =>
    folders.map((folder) => ({ file: join(folder, WEIGHT_FILE[version]), version })),
  );
  return all.find(({ file }) => existsSync(file));
}

async function weightOf(file: string): Promise<number> {
  return Number(await readFile(file, 'utf8'));
}

/** A note that a dying daemon has not written to its end is none: the weight was not changed yet. */
async function readNote(path: string): Promise<WeightNote | null> {
  try {
    const { before, lowered } = JSON.parse(await readFile(path, 'utf8')) as WeightNote;
    return Number.isInteger(before) && Number.isInteger(lowered) ? { before, lowered } : null;
  } catch {
    return null;
  }
}
