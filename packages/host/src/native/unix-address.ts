export const AF_UNIX = 1;

/**
 * The address of a Unix socket, unix(7). A name that begins with `@` is in the abstract namespace. The kernel
 * refuses a name that is too long.
 */
export function unixAddress(name: string): Buffer {
  const isAbstract = name.startsWith('@');
  const path = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  const address = Buffer.alloc(2 + path.length);
  address.writeUInt16LE(AF_UNIX, 0);
  path.copy(address, 2);
  return address;
}
