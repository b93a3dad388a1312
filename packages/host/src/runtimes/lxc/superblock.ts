import { open } from 'node:fs/promises';

/** Facts from the superblock of an image. They are up to date only while it is not mounted. */
export interface Superblock {
  /** Size of the file system in bytes. */
  readonly size: number;
  /** Whether the kernel has found an error in it. */
  readonly hasErrors: boolean;
}

const OFFSET = 1024;
const BYTES = 1024;
/** Places in the superblock, ext4(5): numbers are little-endian. */
const BLOCKS_LOW = 0x4;
const BLOCK_SIZE = 0x18;
const MAGIC = 0x38;
const STATE = 0x3a;
const BLOCKS_HIGH = 0x150;
const EXT4_MAGIC = 0xef53;
const HAS_ERRORS = 2;

/** Reads the superblock of ext4 from an image; null if there is none. */
export async function readSuperblock(image: string): Promise<Superblock | null> {
  await using file = await open(image, 'r');
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(BYTES), position: OFFSET });
  if (bytesRead < BYTES || buffer.readUInt16LE(MAGIC) !== EXT4_MAGIC) return null;
  const blocks = buffer.readUInt32LE(BLOCKS_LOW) + buffer.readUInt32LE(BLOCKS_HIGH) * 2 ** 32;
  return {
    size: blocks * 1024 * 2 ** buffer.readUInt32LE(BLOCK_SIZE),
    hasErrors: (buffer.readUInt16LE(STATE) & HAS_ERRORS) !== 0,
  };
}
