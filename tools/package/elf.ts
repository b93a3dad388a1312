/** What a compiled file needs of the system's libraries. */
export interface Needs {
  /** Such as libc.so.6. */
  readonly libraries: readonly string[];
  /** By library, such as GLIBC_2.28 of libc.so.6. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
}

const MAGIC = 0x7f454c46;
const SECTION_DYNAMIC = 6;
const SECTION_VERSION_NEEDS = 0x6ffffffe;
const TAG_NEEDED = 1n;

interface Section {
  readonly type: number;
  readonly bytes: Buffer;
  /** The number of the section with its strings. */
  readonly link: number;
  /** For needs of versions: how many libraries. */
  readonly info: number;
}

/** Reads an ELF file of 64 bits, little-endian, as x64 and arm64 have it; see elf(5). */
export function readNeeds(file: Buffer): Needs {
  if (file.readUInt32BE(0) !== MAGIC || file[4] !== 2 || file[5] !== 1)
    throw new Error('no ELF file of 64 bits, little-endian');
  const sections = readSections(file);
  const stringsOf = ({ link }: Section) => sections[link]?.bytes ?? Buffer.alloc(0);
  const libraries = sections
    .filter(({ type }) => type === SECTION_DYNAMIC)
    .flatMap((section) => neededLibraries(section.bytes, stringsOf(section)));
  const versions = sections
    .filter(({ type }) => type === SECTION_VERSION_NEEDS)
    .map((section) => neededVersions(section, stringsOf(section)));
  return { libraries, versions: Object.assign({}, ...versions) };
}

function readSections(file: Buffer): Section[] {
  const start = Number(file.readBigUInt64LE(0x28));
  const [size, count] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c)];
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    const [offset, length] = [file.readBigUInt64LE(at + 0x18), file.readBigUInt64LE(at + 0x20)].map(
      Number,
    ) as [number, number];
    return {
      type: file.readUInt32LE(at + 4),
      bytes: file.subarray(offset, offset + length),
      link: file.readUInt32LE(at + 0x28),
      info: file.readUInt32LE(at + 0x2c),
    };
  });
}

function neededLibraries(bytes: Buffer, strings: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at + 16 <= bytes.length; at += 16)
    if (bytes.readBigUInt64LE(at) === TAG_NEEDED)
      found.push(stringAt(strings, Number(bytes.readBigUInt64LE(at + 8))));
  return found;
}

function neededVersions({ bytes, info }: Section, strings: Buffer): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (let at = 0, left = info; left > 0; left--) {
    const names: string[] = [];
    let each = at + bytes.readUInt32LE(at + 8);
    for (let count = bytes.readUInt16LE(at + 2); count > 0; count--) {
      names.push(stringAt(strings, bytes.readUInt32LE(each + 8)));
      each += bytes.readUInt32LE(each + 12);
    }
    found[stringAt(strings, bytes.readUInt32LE(at + 4))] = names;
    at += bytes.readUInt32LE(at + 12);
  }
  return found;
}

function stringAt(strings: Buffer, start: number): string {
  return strings.toString('latin1', start, strings.indexOf(0, start));
}
