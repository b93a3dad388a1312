import { execFileSync } from 'node:child_process';
import {
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { openHere } from '../native/open-here.ts';
import { HookFolder } from './hook-folder.ts';
import type { HookRequest } from './hook-request.ts';

const REQUEST = `poststop\n1.00 1.00\nboot\n${JSON.stringify({ id: 'a', bundle: '/b' })}\nend\n`;

const OWN_UID = process.getuid?.() ?? 0;

let path: string;
let folder: HookFolder;
let asked: string[];
let perform: (request: HookRequest) => Promise<void>;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'porthole-hooks-'));
  asked = [];
  perform = async () => {};
  folder = new HookFolder(
    { kind: 'root', path, uid: OWN_UID, open, everyMs: 20 },
    (request) => {
      asked.push(request.subject.id);
      return perform(request);
    },
    { clock: systemClock, log: silentLog },
  );
});
afterEach(async () => {
  await folder.stop();
  await rm(path, { recursive: true });
});

const leave = (name: string, text = REQUEST) => writeFileSync(join(path, `${name}.request`), text);
const emptied = () => vi.waitFor(() => expect(readdirSync(path)).toEqual([]));

/** Waits at a pipe, as a hook does. @returns the answer */
async function askAt(name: string): Promise<string> {
  const pipe = join(path, `${name}.reply`);
  execFileSync('mkfifo', [pipe]);
  const answer = open(pipe, constants.O_RDONLY).then(async (file) => {
    await using reading = file;
    return reading.readFile('utf8');
  });
  leave(name);
  return answer;
}

describe('The folder of hooks', () => {
  it('is read at the start, and after that for each new request', async () => {
    leave('1');
    await folder.begin();
    expect(asked).toEqual(['a']);
    leave('2');
    await emptied();
    expect(asked).toEqual(['a', 'a']);
  });

  it('gives each hook its answer when the work is done', async () => {
    const done = Promise.withResolvers<void>();
    perform = () => done.promise;
    await folder.begin();
    const answer = askAt('1');
    await vi.waitFor(() => expect(asked).toEqual(['a']));
    done.resolve();
    expect(await answer).toBe('ok\n');
    await emptied();
  });

  it('gives a hook the reason of a refusal, in one line', async () => {
    perform = async () => {
      throw new Error('it is\nnot possible');
    };
    await folder.begin();
    expect(await askAt('1')).toBe('it is not possible\n');
  });

  it('carries out all requests of the time without a daemon, in any number', async () => {
    for (let number = 0; number < 100; number++) leave(String(number));
    await folder.begin();
    expect(asked).toHaveLength(100);
    expect(readdirSync(path)).toEqual([]);
  });

  it('waits for the rest of a request that is being written', async () => {
    await folder.begin();
    leave('1', REQUEST.slice(0, 30));
    leave('2');
    await vi.waitFor(() => expect(readdirSync(path)).toEqual(['1.request']));
    leave('1');
    await emptied();
    expect(asked).toEqual(['a', 'a']);
  });

  it('does not touch requests that come after its stop', async () => {
    await folder.begin();
    await folder.stop();
    leave('1');
    expect(asked).toEqual([]);
    expect(readdirSync(path)).toEqual(['1.request']);
  });
});

describe('The folder of a user', () => {
  async function beUsers(): Promise<void> {
    await folder.stop();
    folder = new HookFolder(
      { path, kind: 'user', uid: OWN_UID, open: openHere, everyMs: 50 },
      async (request) => void asked.push(request.subject.id),
      {
        clock: systemClock,
        log: silentLog,
      },
    );
  }

  it.each([
    ['a link', (request: string) => symlinkSync('/etc/hostname', request)],
    ['a folder', (request: string) => mkdirSync(request)],
    ['a named pipe', (request: string) => void execFileSync('mkfifo', [request])],
  ])('gives no way to have %s read', async (_what, make) => {
    make(join(path, '1.request'));
    await folder.begin();
    expect(asked).toEqual([]);
  });

  it('never makes the daemon write into anything but a pipe', async () => {
    const other = join(path, 'other');
    writeFileSync(other, 'mine');
    symlinkSync(other, join(path, '1.reply'));
    writeFileSync(join(path, '2.reply'), 'mine');
    leave('1');
    leave('2');
    await folder.begin();
    expect(readFileSync(other, 'utf8')).toBe('mine');
  });

  it('has one request carried out at each look, and no long ones', async () => {
    await beUsers();
    for (let number = 0; number < 3; number++) leave(String(number));
    leave('3', REQUEST.replace('"/b"', `"/${'b'.repeat(40_000)}"`));
    await folder.begin();
    expect(readdirSync(path)).toHaveLength(3);
    await emptied();
    expect(asked).toEqual(['a', 'a', 'a']);
  });

  it('has requests that wait behind links and folders of other users', async () => {
    await beUsers();
    // The order of the names is that of the file system, so there is a link on each side of the request.
    for (const name of ['1', '2']) symlinkSync('/etc/hostname', join(path, `${name}.request`));
    leave('3');
    for (const name of ['4', '5']) mkdirSync(join(path, `${name}.request`));
    await folder.begin();
    await vi.waitFor(() => expect(asked).toEqual(['a']));
    leave('6');
    await vi.waitFor(() => expect(asked).toEqual(['a', 'a']));
  });

  it('may have very many files', async () => {
    for (let number = 0; number < 1500; number++) writeFileSync(join(path, `x${number}`), '');
    await folder.begin();
  });
});
