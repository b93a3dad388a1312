/** Character devices that root filesystems have in /dev. They are skipped: an instance gets its own. */
const KNOWN: Readonly<Record<string, string>> = {
  mem: '1:1',
  kmem: '1:2',
  null: '1:3',
  port: '1:4',
  zero: '1:5',
  full: '1:7',
  random: '1:8',
  urandom: '1:9',
  kmsg: '1:11',
  tty: '5:0',
  console: '5:1',
  ptmx: '5:2',
  'pts/ptmx': '5:2',
  'net/tun': '10:200',
  fuse: '10:229',
};

/** Virtual terminals and serial lines: the name, the major number, and the minor number of the first. */
const NUMBERED = [
  { pattern: /^tty([0-9]{1,2})$/, major: 4, first: 0 },
  { pattern: /^ttyS([0-9]{1,2})$/, major: 4, first: 64 },
] as const;

/**
 * Whether a character device in an image is one of the well-known ones, by name and number.
 * @param path where it is in the root filesystem, without a leading slash
 */
export function isKnownDevice(path: string, major: number, minor: number): boolean {
  if (!path.startsWith('dev/')) return false;
  const name = path.slice('dev/'.length);
  if (Object.hasOwn(KNOWN, name)) return KNOWN[name] === `${major}:${minor}`;
  return NUMBERED.some(({ pattern, major: wanted, first }) => {
    const number = pattern.exec(name)?.[1];
    return number !== undefined && major === wanted && minor === first + Number(number);
  });
}
