import { open, opendir } from 'node:fs/promises';

/** How much of a cgroup the daemon reads. A guest can make its cgroup larger; then it counts as shared with others. */
const FOLDERS_MAX = 64;
const ENTRIES_MAX = 1024;
const PROCESSES_MAX = 1024;
const BYTES_MAX = 16 * 1024;

/**
 * Whether a cgroup, or one below it, has a process of another container or of the host. Also true if the cgroup is too
 * large to read.
 */
export async function hasOthers(folder: string, isInside: (pid: number) => boolean): Promise<boolean> {
  const folders = [folder];
  const left = { entries: ENTRIES_MAX, processes: PROCESSES_MAX };
  for (const each of folders) {
    const pids = await processesIn(each);
    left.processes -= pids?.length ?? 0;
    if (pids === null || left.processes < 0 || !pids.every(isInside)) return true;
    for await (const name of foldersIn(each, left)) folders.push(`${each}/${name}`);
    if (left.entries <= 0 || folders.length > FOLDERS_MAX) return true;
  }
  return false;
}

/** The pids in a cgroup. @returns null when they cannot be read, or are too many */
async function processesIn(folder: string): Promise<number[] | null> {
  let text = '';
  try {
    await using file = await open(`${folder}/cgroup.procs`);
    // The kernel gives a page at a time.
    for (const buffer = Buffer.alloc(BYTES_MAX); text.length < BYTES_MAX; ) {
      const { bytesRead } = await file.read(buffer, 0, BYTES_MAX);
      if (bytesRead === 0) return text.split('\n').filter(Boolean).map(Number);
      text += buffer.toString('latin1', 0, bytesRead);
    }
    return null;
  } catch (error) {
    return UNLISTED.includes((error as NodeJS.ErrnoException).code ?? '') ? [] : null;
  }
}

/** Errors of a cgroup that was removed, and of a threaded one, whose parent lists its processes; cgroups(7). */
const UNLISTED: readonly string[] = ['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP'];

async function* foldersIn(folder: string, left: { entries: number }): AsyncGenerator<string> {
  try {
    for await (const entry of await opendir(folder)) {
      if (--left.entries <= 0) return;
      if (entry.isDirectory()) yield entry.name;
    }
  } catch {
    // The cgroup was removed meanwhile.
  }
}
