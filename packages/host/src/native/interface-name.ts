import { declare } from './libc.ts';

const nameOf = declare('const char *if_indextoname(uint index, _Out_ void *name)');

/** IF_NAMESIZE, including the terminating byte. */
const NAME_BYTES = 16;

/** The name of a network interface of this process's network namespace; empty if the number is not used. */
export function interfaceName(index: number): string {
  const name = Buffer.alloc(NAME_BYTES);
  if ((nameOf(index, name) as unknown) === null) return '';
  return name.toString('utf8', 0, name.indexOf(0));
}
