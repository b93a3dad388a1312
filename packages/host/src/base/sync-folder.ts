import { open } from 'node:fs/promises';

/** Has the disk keep the names in a folder: a file that was made or renamed there is found again after a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
