import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { createReadStream, createWriteStream, constants as flags, writeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  at,
  BYTES,
  CALM,
  codeOf,
  entriesOf,
  failure,
  find,
  LOOK,
  namesDirectory,
  PATH_BYTES_MAX,
  parts,
  walk,
} from './file-walk.mjs';

// Carries out one request to the files of an instance, in a separate process. The process has the rights of
// the instance's root and no others, so a guest that moves files during the walk can lead it only to what
// belongs to the guest. Node gets this program as text, because Porthole's files may not be readable in the
// instance's user namespace. The request is the argument. Content comes in at descriptor 0 and goes out at 1;
// the answer, one line of JSON, goes to 4. Paths, names and targets of links are bytes, one character for
// each (latin1).

const ANSWER = 4;
/** Another process may make and remove the same name again and again. */
const TRIES_MAX = 10;
/** Where the text of a template is written first. */
const PART = '.porthole-template';
/** Node has no name for this error of Linux. */
const EDQUOT = 'system error -122';
const PERMISSIONS = 0o7777;
const DEFAULT_MODES = { file: 0o644, directory: 0o750, symlink: 0o777 };

/** @param {unknown} value */
function answer(value) {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let sent = 0; sent < line.length; ) sent += writeSync(ANSWER, line, sent);
}

/** @param {fs.Stats} stat */
function factsOf(stat) {
  const kinds = { file: stat.isFile(), directory: stat.isDirectory(), symlink: stat.isSymbolicLink() };
  const type = Object.entries(kinds).find(([, is]) => is)?.[0];
  if (!type) throw failure('EINVAL', 'neither a file nor a directory nor a symbolic link');
  const { uid, gid, size, mtimeMs } = stat;
  return { type, uid, gid, mode: stat.mode & PERMISSIONS, size, modified: new Date(mtimeMs).toISOString() };
}

/** @param {{ path: string }} request */
function stat({ path }) {
  answer(factsOf(find(path).stat));
}

/** @param {{ path: string }} request */
async function read({ path }) {
  const { fd, folder, name, stat: found } = find(path);
  const facts = factsOf(found);
  if (facts.type === 'directory') return answer({ ...facts, entries: entriesOf(fd) });
  if (facts.type === 'symlink') return answer({ ...facts, target: fs.readlinkSync(at(folder, name), BYTES) });
  const open = fs.openSync(at(fd), flags.O_RDONLY | CALM);
  answer(facts);
  // Files below /proc have size 0 and are read to their end. Of all others exactly the promised size is sent.
  const end = facts.size > 0 ? { start: 0, end: facts.size - 1 } : {};
  const stream = createReadStream('', { fd: open, highWaterMark: 256 * 1024, ...end });
  await pipeline(stream, process.stdout);
  if (stream.bytesRead < facts.size) throw failure('EIO', 'the file became shorter while it was read');
}

/** @typedef {{ path: string, uid: number, gid: number, mode: number | null, append: boolean }} Write */

/**
 * Refuses owners that this user namespace does not have, before anything is made: chown(2) would refuse them too
 * late, and takes the highest id for "leave it as it is".
 * @param {Write} request
 */
function checkOwner({ uid, gid }) {
  if (!isMapped('uid', uid)) throw failure('EINVAL', `the instance has no uid ${uid}`);
  if (!isMapped('gid', gid)) throw failure('EINVAL', `the instance has no gid ${gid}`);
}

/**
 * @param {'uid' | 'gid'} kind
 * @param {number} id
 */
function isMapped(kind, id) {
  const ranges = fs.readFileSync(`/proc/self/${kind}_map`, 'utf8').trimEnd().split('\n');
  return ranges.some((range) => {
    const [first = 0, , count = 0] = range.trim().split(/ +/).map(Number);
    return id >= first && id - first < count;
  });
}

/** @param {Write} request */
async function writeFile(request) {
  const { fd, isNew } = openForWriting(request);
  if (isNew) fs.fchownSync(fd, request.uid, request.gid);
  await pipeline(process.stdin, createWriteStream('', { fd, autoClose: false }));
  // Last, since a change of owner or content clears the set-user-id bit.
  if (isNew) fs.fchmodSync(fd, request.mode ?? DEFAULT_MODES.file);
  fs.closeSync(fd);
  answer({});
}

/** @param {Write} request */
function openForWriting(request) {
  const { path, append } = request;
  for (let tries = 1; ; tries++) {
    const { fd, folder, name, stat: found } = walk(path, true);
    if (found?.isDirectory() || namesDirectory(path)) throw failure('EISDIR', 'is a directory');
    if (found && !found.isFile()) throw failure('EINVAL', 'not a regular file');
    const how = fd === null ? flags.O_CREAT | flags.O_EXCL : append ? flags.O_APPEND : flags.O_TRUNC;
    const where = fd === null ? at(folder, name) : at(fd);
    if (fd === null) checkOwner(request);
    try {
      return { fd: fs.openSync(where, flags.O_WRONLY | CALM | how, 0o600), isNew: fd === null };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || tries === TRIES_MAX) throw error;
    }
  }
}

/** @param {Write} request */
function writeDirectory(request) {
  const { path, uid, gid, mode } = request;
  const { fd, folder, name, stat: found } = walk(path, true);
  if (found && !found.isDirectory()) throw failure('EEXIST', 'it exists and is no directory');
  if (fd === null) {
    checkOwner(request);
    fs.mkdirSync(at(folder, name), 0o700);
    const made = fs.openSync(at(folder, name), LOOK | flags.O_DIRECTORY);
    fs.chownSync(at(made), uid, gid);
    fs.chmodSync(at(made), mode ?? DEFAULT_MODES.directory);
  }
  answer({});
}

/** @param {Write} request */
async function writeSymlink(request) {
  const { path, uid, gid } = request;
  const target = await inputText();
  const { fd, folder, name, stat: found } = walk(path, false);
  if (namesDirectory(path)) throw failure('EISDIR', 'is a directory');
  if (fd === null) {
    checkOwner(request);
    fs.symlinkSync(Buffer.from(target, BYTES), at(folder, name));
    fs.lchownSync(at(folder, name), uid, gid);
  } else if (!found?.isSymbolicLink() || fs.readlinkSync(at(folder, name), BYTES) !== target) {
    throw failure('EEXIST', 'it exists already');
  }
  answer({});
}

async function inputText() {
  let text = '';
  for await (const chunk of process.stdin.setEncoding(BYTES)) {
    text += chunk;
    if (text.length > PATH_BYTES_MAX) throw failure('ENAMETOOLONG', 'file name too long');
  }
  return text;
}

/** The number of the mount that a file is on. @param {number} fd */
function mountOf(fd) {
  return /^mnt_id:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
}

/** @param {{ path: string }} request */
function remove({ path }) {
  const { fd, folder, name, stat: found } = find(path, false);
  if (name === '') throw failure('EBUSY', 'the root directory stays');
  // Outside the instance's mount namespace, the kernel would unmount it instead of refusing.
  if (mountOf(fd) !== mountOf(folder))
    throw failure('EBUSY', 'device or resource busy: something is mounted there');
  if (found.isDirectory()) fs.rmdirSync(at(folder, name));
  else fs.unlinkSync(at(folder, name));
  answer({});
}

/**
 * Writes files in order, each as a whole or not at all. A later start must not mistake an incomplete file for the
 * guest's own file, and a full disk must not destroy a file of the guest.
 */
function fill() {
  const failed = [];
  for (const { path, text, createOnly, mayFail } of JSON.parse(fs.readFileSync(0, 'utf8'))) {
    try {
      fillFile(Buffer.from(path).toString(BYTES), text, createOnly);
    } catch (error) {
      const why = `${path}: ${plainText(error)}`;
      if (!mayFail) throw failure(codeOf(error) === 'ENOENT' ? 'ENOTDIR' : codeOf(error), why);
      failed.push(Buffer.from(why).toString(BYTES));
    }
  }
  answer({ entries: failed });
}

/** @type {(path: string, text: string, createOnly: boolean) => void} */
function fillFile(path, text, createOnly) {
  const names = parts(path);
  for (let count = 1; count < names.length; count++) {
    const { fd, folder, name } = walk(names.slice(0, count).join('/'), true);
    if (fd === null) fs.mkdirSync(at(folder, name), 0o755);
  }
  const { folder, name, stat: found } = walk(path, true);
  if (found?.isDirectory()) throw failure('EISDIR', 'is a directory');
  if (found && !found.isFile()) throw failure('EINVAL', 'not a regular file');
  if (found && createOnly) return;
  const part = freePart(folder);
  try {
    writePart(part, text, found);
    fs.renameSync(part, at(folder, name));
  } catch (error) {
    fs.rmSync(part, { force: true });
    throw error;
  }
}

/**
 * A free path in a folder. An interrupted start can have left a file with the usual name. If a directory has this
 * name, the guest has made it. It may hold any number of files, and stays.
 * @param {number} folder
 */
function freePart(folder) {
  const usual = at(folder, PART);
  try {
    fs.rmSync(usual, { force: true });
    return usual;
  } catch {
    return at(folder, `${PART}-${randomUUID()}`);
  }
}

/** @type {(part: Buffer, text: string, before: fs.Stats | null) => void} */
function writePart(part, text, before) {
  const fd = fs.openSync(part, flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL, 0o600);
  try {
    fs.writeFileSync(fd, text);
    if (before) fs.fchownSync(fd, before.uid, before.gid);
    // Last, since a change of owner or content clears the set-user-id bit.
    fs.fchmodSync(fd, before ? before.mode & PERMISSIONS : DEFAULT_MODES.file);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Without Node's names of paths of this process, which mean nothing to an operator.
 * @param {unknown} error
 */
function plainText(error) {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes(EDQUOT)) return 'disk quota exceeded';
  return text.replace(/^E\w+: /, '').replace(/, \w+( '.*)?$/s, '');
}

const WORK = { fill, stat, read, remove, file: writeFile, directory: writeDirectory, symlink: writeSymlink };

process.umask(0);
try {
  const request = JSON.parse(/** @type {string} */ (process.argv[1]));
  await WORK[/** @type {keyof typeof WORK} */ (request.work)](request);
} catch (error) {
  process.exitCode = 1;
  answer({ error: codeOf(error) || 'EIO', message: plainText(error) });
}
