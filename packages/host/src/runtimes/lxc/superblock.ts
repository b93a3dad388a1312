import { open } from 'node:fs/promises';

/** Facts from the superblock of an image. They are up to date only while it is not mounted. */
export interface Superblock {
  /** Size of the file system in bytes. */
  readonly size: number;
  /** The tools of ext4 leave out a last group of blocks with fewer bytes, which could hardly hold its own tables. */
  readonly groupMin: number;
  /** Whether the kernel has found an error in it. */
  readonly hasErrors: boolean;
}

const OFFSET = 1024;
const BYTES = 1024;
/** Places in the superblock, ext4(5): numbers are little-endian. */
const BLOCKS_LOW = 0x4;
const BLOCK_SIZE = 0x18;
const BLOCKS_PER_GROUP = 0x20;
const INODES_PER_GROUP = 0x28;
const INODE_SIZE = 0x58;
const RESERVED_TABLE_BLOCKS = 0xce;
const MAGIC = 0x38;
const STATE = 0x3a;
const BLOCKS_HIGH = 0x150;
const EXT4_MAGIC = 0xef53;
const HAS_ERRORS = 2;
/** What a group needs besides its tables, in blocks: its bitmaps, a superblock, and 50 for files. */
const GROUP_BLOCKS_MIN = 54;
const DESCRIPTOR_BYTES = 64;

/** Reads the superblock of ext4 from an image; null if there is none. */
export async function readSuperblock(image: string): Promise<Superblock | null> {
  await using file = await open(image, 'r');
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(BYTES), position: OFFSET });
  if (bytesRead < BYTES || buffer.readUInt16LE(MAGIC) !== EXT4_MAGIC) return null;
  const blocks = buffer.readUInt32LE(BLOCKS_LOW) + buffer.readUInt32LE(BLOCKS_HIGH) * 2 ** 32;
  const blockBytes = 1024 * 2 ** buffer.readUInt32LE(BLOCK_SIZE);
  return {
    size: blocks * blockBytes,
    groupMin: groupMin(buffer, blocks, blockBytes),
    hasErrors: (buffer.readUInt16LE(STATE) & HAS_ERRORS) !== 0,
  };
}

/** Whether a file system uses all that it can of a number of bytes. */
export function fills({ size, groupMin }: Superblock, bytes: number): boolean {
  return size === bytes || (size < bytes && bytes - size < groupMin);
}

/** 0 if the last group is not full, so that it can grow. */
function groupMin(buffer: Buffer, blocks: number, blockBytes: number): number {
  const perGroup = buffer.readUInt32LE(BLOCKS_PER_GROUP);
  if (blocks % perGroup !== 0) return 0;
  const inodes = (buffer.readUInt32LE(INODES_PER_GROUP) * buffer.readUInt16LE(INODE_SIZE)) / blockBytes;
  const groups = Math.ceil(((blocks / perGroup + 1) * DESCRIPTOR_BYTES) / blockBytes);
  const tables = inodes + groups + buffer.readUInt16LE(RESERVED_TABLE_BLOCKS);
  return (tables + GROUP_BLOCKS_MIN) * blockBytes;
}
