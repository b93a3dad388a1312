import { checked, declare } from './libc.ts';

const renameat2 = declare(
  'int renameat2(int fromDir, const char *from, int toDir, const char *to, uint flags)',
);

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

/** Exchanges the names of two files or folders of one file system, both at once. @throws SystemError */
export function exchangeNames(one: string, other: string): void {
  checked('renameat2', renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE));
}
