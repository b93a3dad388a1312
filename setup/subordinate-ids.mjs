import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { SetupError, say } from './fail.mjs';

const FILES = ['/etc/subuid', '/etc/subgid'];

/** The range that LXD's packages give to root: room for 15,000 instances with 65,536 ids each. */
const FIRST_ID = 1_000_000;
const COUNT = 1_000_000_000;
/** (uid_t) -1 means "no user". */
const ID_MAX = 2 ** 32 - 2;

/**
 * Gives root subordinate user and group ids if it has none. Unprivileged instances run with these ids.
 * @param {readonly string[]} files as subuid(5) and subgid(5)
 */
export function ensureSubordinateIds(files = FILES) {
  const texts = files.map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : ''));
  if (texts.every((text) => hasRange(text, 'root'))) return;
  const line = rangeLine(texts);
  if (line === null)
    throw new SetupError(`No free ids for root in ${files.join(' and ')}: please add a range.`);
  files.forEach((path, index) => {
    if (hasRange(texts[index], 'root')) return;
    say(`giving root subordinate ids: ${line} in ${path}`);
    appendFileSync(path, `${texts[index] === '' || texts[index].endsWith('\n') ? '' : '\n'}${line}\n`);
  });
}

/**
 * The ranges of a file of subuid(5) or subgid(5); other lines are skipped.
 * @param {string} text
 * @returns {{ owner: string, first: number, count: number }[]}
 */
export function parseRanges(text) {
  return [...text.matchAll(/^([^:#\n]+):(\d+):(\d+)\s*$/gm)].map(([, owner, first, count]) => ({
    owner,
    first: Number(first),
    count: Number(count),
  }));
}

/**
 * Whether a user has a range; root may also be listed by its number.
 * @param {string} text
 * @param {string} user
 */
export function hasRange(text, user) {
  return parseRanges(text).some(
    ({ owner, count }) => count > 0 && (owner === user || (user === 'root' && owner === '0')),
  );
}

/**
 * The line to add for root. Its range is after those of all other users, because a shared id would be a way
 * from one user's containers into another's.
 * @param {readonly string[]} texts both files
 * @returns {string | null} null when there are not enough free ids
 */
export function rangeLine(texts) {
  const ends = texts.flatMap(parseRanges).filter(({ owner }) => owner !== 'root' && owner !== '0');
  const first = Math.max(FIRST_ID, ...ends.map((range) => range.first + range.count));
  return first + COUNT - 1 <= ID_MAX ? `root:${first}:${COUNT}` : null;
}
