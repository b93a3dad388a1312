// Node loads this before the daemon, with --import. It names each step that the daemon takes outside of its memory, and
// causes one fault at one of them. So the daemon itself has no code for this.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import sqlite from 'node:sqlite';
import { isMainThread } from 'node:worker_threads';

/** A folder with `plan` (the fault), and `steps` and `met`, which this program writes. */
const folder = process.env['PORTHOLE_FAULTS'];
const isDaemon = process.argv[1]?.endsWith('packages/host/src/main.ts') && !process.argv.includes('--check');
const { appendFileSync, existsSync, readFileSync, writeFileSync } = fs;
const { spawn } = childProcess;

if (folder && isMainThread && isDaemon) {
  watchPrograms();
  watchStore();
  watchFiles();
  syncBuiltinESMExports();
}

/** The fault to come, if steps are counted now. */
function plan() {
  try {
    return JSON.parse(readFileSync(join(folder, 'plan'), 'utf8'));
  } catch {
    return null;
  }
}

/** Notes a step. @returns the fault that comes at it, or null */
function begin(name) {
  const fault = plan();
  if (!fault) return null;
  const path = join(folder, 'steps');
  appendFileSync(path, `${name}\n`);
  if (fault.name !== name || existsSync(join(folder, 'met'))) return null;
  const count = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line === name).length;
  return count === fault.count ? fault : null;
}

function meet(fault, when) {
  if (!fault || fault.when !== when) return false;
  writeFileSync(join(folder, 'met'), '');
  if (fault.kind === 'kill') process.kill(process.pid, 'SIGKILL');
  return true;
}

function errorOf(kind) {
  const code = kind === 'full disk' ? 'ENOSPC' : 'EIO';
  return Object.assign(new Error(`${code}: made by a fault`), { code });
}

/** Without ids, fingerprints and random parts, so that a step has the same name at each try. */
function plain(path) {
  return String(path)
    .slice((process.env['PORTHOLE_FAULTS_STATE'] ?? '').length + 1)
    .replace(/[0-9a-f]{64}/g, 'IMAGE')
    .replace(/\d+/g, 'N')
    .replace(/(\.stage-|\.unpack-|execs\/)[\w-]+/g, '$1X');
}

function isOurs(path) {
  return typeof path === 'string' && path.startsWith(`${process.env['PORTHOLE_FAULTS_STATE']}/`);
}

/** The name of a program, such as `ip link add` or `mount-child`, without the programs that only change how it runs. */
function programOf(command, args) {
  const words = [command, ...args].map(String);
  const isSetting = (word) =>
    word.startsWith('-') || /(^|\/)(setpriv|node|nice|prlimit|unshare|env)$/.test(word);
  const [program = '', ...rest] = words.filter((word) => !isSetting(word));
  const short = program.replace(/^.*\//, '').replace(/\.(ts|mjs|cjs)$/, '');
  return short === 'ip' || short === 'tc' ? `${short} ${rest.slice(0, 2).join(' ')}` : short;
}

function watchPrograms() {
  childProcess.spawn = (command, args = [], options = {}) => {
    const fault = begin(`program ${programOf(command, args)}`);
    const met = meet(fault, 'before');
    // The program that runs instead has the same options, so it is in the same group and ends in the same way.
    const [instead, words] = met && fault.kind === 'failure' ? ['false', []] : [command, args];
    const hangs = met && fault.kind === 'hang';
    const late = fault?.kind === 'hang' && fault.when === 'after';
    if (late) writeFileSync(join(folder, 'met'), '');
    const child = hangs
      ? spawn('sleep', ['100000'], options)
      : late
        ? spawn('sh', ['-c', '"$@"; exec sleep 100000', 'sh', command, ...args], options)
        : spawn(instead, words, options);
    // The walk ends a program that hangs, because nothing else does that after the daemon is dead.
    if (hangs || late) writeFileSync(join(folder, 'hung'), String(child.pid));
    child.prependListener('exit', () => meet(late ? null : fault, 'after'));
    return child;
  };
}

function watchStore() {
  const { DatabaseSync, StatementSync } = sqlite;
  const { exec } = DatabaseSync.prototype;
  const { run } = StatementSync.prototype;
  let told = [];
  StatementSync.prototype.run = function (...args) {
    const table = /(?:INTO|FROM|UPDATE) (\w+)/.exec(this.sourceSQL)?.[1];
    const event = args.find((each) => typeof each === 'string' && each.startsWith('{'));
    if (table === 'events' && event !== undefined) told.push(JSON.parse(event).action ?? 'event');
    else if (table && table !== 'journal_newest') told.push(table);
    return run.apply(this, args);
  };
  DatabaseSync.prototype.exec = function (sql) {
    if (sql.startsWith('BEGIN')) told = [];
    if (sql !== 'COMMIT') return exec.call(this, sql);
    const fault = begin(`commit ${[...new Set(told)].sort().join('+')}`);
    if (meet(fault, 'before'))
      throw Object.assign(new Error('made by a fault'), {
        errcode: fault.kind === 'full disk' ? 13 : 10,
        errstr: 'made by a fault',
      });
    const result = exec.call(this, sql);
    meet(fault, 'after');
    return result;
  };
}

function watchFiles() {
  for (const verb of ['mkdir', 'mkdtemp', 'rm', 'rmdir', 'rename', 'writeFile', 'chown']) {
    const call = fs.promises[verb];
    fs.promises[verb] = async (path, ...rest) => {
      const fault = isOurs(path) ? begin(`${verb} ${plain(path)}`) : null;
      if (meet(fault, 'before')) throw errorOf(fault.kind);
      const result = await call(path, ...rest);
      meet(fault, 'after');
      return result;
    };
  }
  for (const verb of ['writeFileSync', 'renameSync', 'mkdirSync', 'rmSync']) {
    const call = fs[verb];
    fs[verb] = (path, ...rest) => {
      const fault = isOurs(path) ? begin(`${verb.slice(0, -4)} ${plain(path)}`) : null;
      if (meet(fault, 'before')) throw errorOf(fault.kind);
      const result = call(path, ...rest);
      meet(fault, 'after');
      return result;
    };
  }
}
