import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupVersion } from './cgroups.ts';
import { USUAL_WEIGHT, WEIGHT_FILE } from './resource-limits.ts';

/** The least weight that the kernel takes. */
const LEAST: Readonly<Record<CgroupVersion, number>> = { cgroup: 2, cgroup2: 1 };

/**
 * `1` makes a cgroup idle, in both versions: its processes get only what others leave of the processors, and never take
 * one from them; sched_group_set_idle, Linux 5.15.
 */
const IDLE_FILE = 'cpu.idle';

/** The weight of a cgroup before it was lowered, and since, as the file of the cgroup says it; 0 stands for idle. */
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

/** The files of the folder that has the weight. */
interface WeightFiles {
  readonly version: CgroupVersion;
  readonly weight: string;
  readonly idle: string;
}

/**
 * Lowers the weight of a cgroup, after it has noted what it was.
 * @param percent of the usual weight; 0 makes the cgroup idle
 * @returns false if the weight was this low before: then nothing is changed
 * @throws if the host gives the cgroup no weight, or the note cannot be written
 */
export async function lowerWeight({ folders, note }: WeightPlace, percent: number): Promise<boolean> {
  const files = weightIn(folders);
  if (!files)
    throw new Error('this host gives instances no weight: they have no cgroup with the controller cpu');
  const { version, weight, idle } = files;
  const lowered =
    percent === 0 ? 0 : Math.max(LEAST[version], Math.round((USUAL_WEIGHT[version] * percent) / 100));
  const before = await numberIn(weight);
  if (before <= lowered || (lowered === 0 && (await isIdle(idle)))) return false;
  // Written first: a daemon that dies between the two leaves a note that changes nothing.
  await writeFile(note, JSON.stringify({ before, lowered }), { mode: 0o600 });
  await (lowered === 0 ? writeFile(idle, '1') : writeFile(weight, String(lowered)));
  return true;
}

/** Undoes `lowerWeight`, unless the weight is not what it has made it. Without a note nothing happens. */
export async function raiseWeight(place: WeightPlace): Promise<void> {
  const noted = await readNote(place.note);
  const files = noted && weightIn(place.folders);
  if (files) await (noted.lowered === 0 ? endIdling(files, noted) : raise(files, noted));
  await rm(place.note, { force: true });
}

async function raise({ weight }: WeightFiles, { before, lowered }: WeightNote): Promise<void> {
  if ((await numberIn(weight)) === lowered) await writeFile(weight, String(before));
}

/** A cgroup that is no longer idle has the usual weight. It also has it if a daemon has died before the second step. */
async function endIdling({ version, weight, idle }: WeightFiles, { before }: WeightNote): Promise<void> {
  if (await isIdle(idle)) await writeFile(idle, '0');
  if ((await numberIn(weight)) === USUAL_WEIGHT[version]) await writeFile(weight, String(before));
}

function weightIn(folders: readonly string[]): WeightFiles | undefined {
  const all = (['cgroup', 'cgroup2'] as const).flatMap((version) =>
    folders.map((folder) => ({
      version,
      weight: join(folder, WEIGHT_FILE[version]),
      idle: join(folder, IDLE_FILE),
    })),
  );
  return all.find(({ weight }) => existsSync(weight));
}

async function numberIn(file: string): Promise<number> {
  return Number(await readFile(file, 'utf8'));
}

async function isIdle(file: string): Promise<boolean> {
  return (await numberIn(file)) === 1;
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
