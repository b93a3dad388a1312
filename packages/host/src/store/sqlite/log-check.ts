/** Sizes of SQLite's log, sqlite.org/fileformat2.html#walformat, in bytes. */
const HEADER = 32;
const FRAME_HEADER = 24;
/** Bytes of the log's header and of a frame's header that their checksums include. */
const HEADER_SUMMED = 24;
const FRAME_SUMMED = 8;
/** The last bit says whether checksums are made of big-endian words. */
const MAGIC = 0x377f0682;

/**
 * How many commits after the damage are normal: the last commit may be one that the daemon did not finish, and no
 * client knows of it. All others were synced, also those that only stage.
 */
const UNFINISHED_COMMITS = 1;

type Sums = readonly [number, number];

/**
 * The defect of SQLite's log; empty if there is none. SQLite itself ignores everything after a damaged frame, because
 * the end of a log looks the same after a crash. So commits that clients know would be lost without a message.
 */
export function logDamage(log: Buffer): string {
  const start = log.subarray(0, HEADER);
  if (start.length < HEADER || start.every((byte) => byte === 0)) return '';
  const isBig = (start.readUInt32BE(0) & 1) === 1;
  const sums = summed(start.subarray(0, HEADER_SUMMED), [0, 0], isBig);
  if (start.readUInt32BE(0) >>> 1 !== MAGIC >>> 1 || !endsWith(start, sums))
    return 'the header of its log is damaged';
  const frame = FRAME_HEADER + start.readUInt32BE(8);
  const { valid, end } = validFrames(log, frame, sums, isBig);
  const lost = commitsFrom(log, end, frame, start.subarray(16, 24));
  return lost > UNFINISHED_COMMITS ? `its log is damaged after ${valid} pages, before ${lost} commits` : '';
}

function validFrames(log: Buffer, size: number, first: Sums, isBig: boolean): { valid: number; end: number } {
  let [sums, at, valid] = [first, HEADER, 0];
  for (; at + size <= log.length; at += size, valid++) {
    const frame = log.subarray(at, at + size);
    const head = summed(frame.subarray(0, FRAME_SUMMED), sums, isBig);
    const next = summed(frame.subarray(FRAME_HEADER), head, isBig);
    if (!sameSalts(frame, log.subarray(16, 24)) || !endsWith(frame.subarray(0, FRAME_HEADER), next)) break;
    sums = next;
  }
  return { valid, end: at };
}

/** The number of commits from a place on. Frames of an earlier log, which this one overwrites, have other salts. */
function commitsFrom(log: Buffer, from: number, size: number, salts: Buffer): number {
  let commits = 0;
  for (let at = from; at + size <= log.length; at += size) {
    const head = log.subarray(at, at + FRAME_HEADER);
    if (sameSalts(head, salts) && head.readUInt32BE(4) !== 0) commits++;
  }
  return commits;
}

const sameSalts = (frame: Buffer, salts: Buffer) => frame.subarray(8, 16).equals(salts);

function endsWith(header: Buffer, [first, second]: Sums): boolean {
  const at = header.length - 8;
  return header.readUInt32BE(at) === first && header.readUInt32BE(at + 4) === second;
}

function summed(bytes: Buffer, [first, second]: Sums, isBig: boolean): Sums {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [a, b] = [first, second];
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + view.getUint32(at, !isBig) + b) >>> 0;
    b = (b + view.getUint32(at + 4, !isBig) + a) >>> 0;
  }
  return [a, b];
}
