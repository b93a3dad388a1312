export const AF_UNIX = 1;

/**
 * A Unix socket's address, unix(7); a name that begins with `@` is in the abstract namespace. The kernel refuses
 * one that is too long.
 */
export function unixAddress(name: string): Buffer {
  const isAbstract = name.startsWith('@');
  const path = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  const address = Buffer.alloc(2 + path.length);
  address.writeUInt16LE(AF_UNIX, 0);
  path.copy(address, 2);
  return address;
}
