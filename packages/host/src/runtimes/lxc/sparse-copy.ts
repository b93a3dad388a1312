import { open } from 'node:fs/promises';
import { nextData } from '../../native/file-data.ts';

const PRIVATE = 0o600;

/**
 * Copies a sparse file with little data. This is faster than to start cp(1), and ends with the daemon too.
 * @param bytesMax the data that it copies, in memory
 * @returns whether all is copied; if not, a part may be there
 */
export async function copyLittle(from: string, to: string, bytesMax: number): Promise<boolean> {
  await using source = await open(from, 'r');
  await using target = await open(to, 'w', PRIVATE);
  await target.truncate((await source.stat()).size);
  let left = bytesMax;
  for (let part = nextData(source.fd, 0); part; part = nextData(source.fd, part.end)) {
    const length = part.end - part.start;
    left -= length;
    if (left < 0) return false;
    const { bytesRead, buffer } = await source.read(Buffer.allocUnsafe(length), 0, length, part.start);
    const { bytesWritten } = await target.write(buffer, 0, bytesRead, part.start);
    if (bytesWritten !== length) return false;
  }
  return true;
}
