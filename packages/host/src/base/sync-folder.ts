import { open } from 'node:fs/promises';

/** Syncs a folder to disk: files made or renamed in it keep their names after a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
