import * as fs from 'node:fs';
import { constants as flags } from 'node:fs';

// How the program file-child.mjs finds its way: by descriptors, within the instance's root. Paths, names and targets
// of links are bytes, one character for each (latin1).

export const BYTES = 'latin1';
/** U+FFFD: stands for each byte of a name that is not UTF-8, in programs that know only text. */
const LOSSY = Buffer.from('\ufffd').toString(BYTES);

/** Descriptor of the instance's root directory. */
const ROOT = 3;
/** Refers to a file without opening it: a FIFO or a device does not notice. */
const O_PATH = 0o10000000;
export const LOOK = O_PATH | flags.O_NOFOLLOW;
/** Neither blocks nor makes a terminal the controlling one. */
export const CALM = flags.O_NONBLOCK | flags.O_NOCTTY;

export const PATH_BYTES_MAX = 4096;
/** The kernel's own limit. */
const SYMLINKS_MAX = 40;
/** A directory with more entries is not listed. */
const ENTRIES_MAX = 100_000;

/** @typedef {{ fd: number | null, folder: number, name: string, stat: fs.Stats | null }} Place */

/** @param {number} fd */
export const at = (fd, name = '') => Buffer.from(`/proc/self/fd/${fd}${name && `/${name}`}`, BYTES);

/** @type {(code: string, message: string) => Error} */
export const failure = (code, message) => Object.assign(new Error(message), { code });

/** @param {string} path */
export function parts(path) {
  if (path.length > PATH_BYTES_MAX) throw failure('ENAMETOOLONG', 'file name too long');
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** A path that ends in a slash can only be that of a directory. @param {string} path */
export const namesDirectory = (path) => path.endsWith('/');

/**
 * Walks a path part by part, by descriptors. Links are followed as text, and no path leads above the root.
 * @param {string} path
 * @param {boolean} follow whether a link at its end is followed, too
 * @param {boolean} lossy whether U+FFFD in a name may stand for bytes that are not UTF-8
 * @returns {Place} without `fd` when only the last part is missing; without `name` when it is the root
 */
export function walk(path, follow, lossy = false) {
  const trail = [ROOT];
  const todo = parts(path);
  for (let links = 0; todo.length > 0; ) {
    const asked = /** @type {string} */ (todo.shift());
    if (asked === '..') {
      if (trail.length > 1) fs.closeSync(/** @type {number} */ (trail.pop()));
      continue;
    }
    const folder = /** @type {number} */ (trail.at(-1));
    const name = lossy && asked.includes(LOSSY) ? meant(folder, asked) : asked;
    const fd = look(at(folder, name), todo.length === 0);
    if (fd === null) return { fd, folder, name, stat: null };
    const stat = fs.fstatSync(fd);
    const last = todo.length === 0;
    if (stat.isSymbolicLink() && (!last || follow)) {
      if (++links > SYMLINKS_MAX) throw failure('ELOOP', 'too many levels of symbolic links');
      const target = fs.readlinkSync(at(folder, name), BYTES);
      fs.closeSync(fd);
      if (target.startsWith('/')) for (const each of trail.splice(1)) fs.closeSync(each);
      todo.unshift(...parts(target));
    } else if (!stat.isDirectory() && (!last || namesDirectory(path))) {
      throw failure('ENOTDIR', 'not a directory');
    } else if (last) return { fd, folder, name, stat };
    else trail.push(fd);
  }
  const fd = /** @type {number} */ (trail.at(-1));
  return { fd, folder: fd, name: '', stat: fs.fstatSync(fd) };
}

/**
 * The name in a folder that reads like the given one, if there is exactly one; otherwise the given name.
 * @param {number} folder
 * @param {string} name
 */
function meant(folder, name) {
  const reads = (/** @type {string} */ each) =>
    Buffer.from(each, BYTES)
      .toString()
      .replaceAll(/\ufffd+/g, '\ufffd');
  const alike = entriesOf(folder).filter((each) => reads(each) === reads(name));
  return alike.length === 1 ? /** @type {string} */ (alike[0]) : name;
}

/** @type {(path: Buffer, mayMiss: boolean) => number | null} */
function look(path, mayMiss) {
  try {
    return fs.openSync(path, LOOK);
  } catch (error) {
    if (mayMiss && codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** @param {unknown} error */
export const codeOf = (error) => /** @type {NodeJS.ErrnoException} */ (error)?.code ?? '';

/** @param {string} path */
export function find(path, follow = namesDirectory(path)) {
  const { fd, folder, name, stat } = walk(path, follow, true);
  if (fd === null || stat === null) throw failure('ENOENT', 'no such file or directory');
  return { fd, folder, name, stat };
}

/** @param {number} fd */
export function entriesOf(fd) {
  /** @type {string[]} */
  const names = [];
  const folder = fs.opendirSync(at(fd), { encoding: BYTES });
  for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
    names.push(entry.name);
    if (names.length > ENTRIES_MAX) throw failure('E2BIG', `more than ${ENTRIES_MAX} entries`);
  }
  return names.sort();
}
