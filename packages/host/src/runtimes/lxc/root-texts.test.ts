import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageReason } from './root-reasons.ts';
import { parseQuota } from './root-subvolume.ts';
import { parseUsage } from './root-usage.ts';
import { readSuperblock } from './superblock.ts';

describe('What tools print about roots', () => {
  it('a quota is read with its limit, and without one', () => {
    const heading = 'Qgroupid    Referenced    Exclusive  Max referenced   Path \n--------  ----\n';
    const line = (limit: string) =>
      `${heading}0/256      134201344    134201344  ${limit}   instances/2/overlay\n`;
    expect(parseQuota(line('134217728'))).toEqual({ used: 134_201_344, limit: 134_217_728 });
    expect(parseQuota(line('none'))).toEqual({ used: 134_201_344, limit: null });
    expect(parseQuota(heading)).toBeNull();
  });

  it('the use of a file system is read, or unknown', () => {
    expect(parseUsage('4096 100 25')).toEqual({ diskUsage: 307_200, diskTotal: 409_600 });
    for (const text of ['', '0 0 0', 'stat: failed', '4096 25 100', '2147483648 18446744073709551615 0'])
      expect(parseUsage(text)).toEqual({ diskUsage: null });
  });

  it.each([
    [
      'setpriv: exit code 32: mount: /x: failed to setup loop device for /x/root.img.',
      'the host has no free loop device (',
    ],
    [
      'setpriv: exit code 127: setpriv: failed to execute mkfs.ext4: No such file or directory',
      'mkfs.ext4 is missing: apt-get install e2fsprogs',
    ],
    ['setpriv: exit code 1: something else', 'setpriv: exit code 1: something else'],
  ])('"%s" is told as a sentence', (failure, sentence) => expect(imageReason(failure)).toContain(sentence));
});

describe('A superblock', () => {
  const folder = mkdtempSync(join(tmpdir(), 'porthole-superblock-'));
  const path = join(folder, 'image');
  const read = async (bytes: Buffer) => {
    writeFileSync(path, bytes);
    return readSuperblock(path).finally(() => rmSync(path));
  };

  it('tells size and errors', async () => {
    const bytes = Buffer.alloc(4096);
    bytes.writeUInt32LE(16_384, 1024 + 0x4);
    bytes.writeUInt32LE(2, 1024 + 0x18);
    bytes.writeUInt16LE(0xef53, 1024 + 0x38);
    bytes.writeUInt16LE(1, 1024 + 0x3a);
    expect(await read(bytes)).toMatchObject({ size: 64 * 2 ** 20, hasErrors: false });
    bytes.writeUInt16LE(2, 1024 + 0x3a);
    expect(await read(bytes)).toMatchObject({ hasErrors: true });
  });

  it('is not found in other files', async () => {
    for (const size of [0, 2047, 4096]) expect(await read(Buffer.alloc(size))).toBeNull();
    rmSync(folder, { recursive: true });
  });
});
