import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { Helper, type HelperOptions } from './helper.ts';

// Answers each line with its pid and the line; it hangs on "hang" and ends on "die".
const PROGRAM =
  'echo ready; while read -r line; do case $line in hang) exec sleep 60;; die) exit 1;; *) echo "$$ $line";; esac; done';

let helper: Helper;
let folder: string;

function made(options: Partial<HelperOptions> = {}): Helper {
  const env = { PATH: '/usr/bin:/bin' };
  return new Helper({
    command: 'sh',
    args: ['-c', PROGRAM],
    env,
    answerMs: 60_000,
    waitMs: 60_000,
    idleMs: 60_000,
    ...options,
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-helper-'));
  helper = made();
});

afterEach(() => {
  helper.stop();
  rmSync(folder, { recursive: true });
});

const ask = async (line: string) => (await helper.ask(line))?.split(' ') ?? null;

it('answers questions in order, with one program', async () => {
  const answers = await Promise.all(['a', 'b', 'c'].map(ask));
  expect(answers.map((answer) => answer?.[1])).toEqual(['a', 'b', 'c']);
  expect(new Set(answers.map((answer) => answer?.[0])).size).toBe(1);
  expect((await ask('later'))?.[0]).toBe(answers[0]?.[0]);
});

it('answers the other questions if the program ends at one', async () => {
  const answers = await Promise.all(['a', 'die', 'b', 'die', 'c'].map(ask));
  expect(answers.map((answer) => answer?.[1] ?? null)).toEqual(['a', null, 'b', null, 'c']);
});

it('kills a program that hangs at a question, and answers the other questions', async () => {
  helper = made({ answerMs: 300 });
  const answers = await Promise.all(['a', 'hang', 'b'].map(ask));
  expect(answers.map((answer) => answer?.[1] ?? null)).toEqual(['a', null, 'b']);
  expect(answers[2]?.[0]).not.toBe(answers[0]?.[0]);
});

it('has no answer for questions that have waited for too long, if the program hangs at each', async () => {
  const starts = join(folder, 'starts');
  helper = made({ args: ['-c', `echo start >> ${starts}; ${PROGRAM}`], answerMs: 300, waitMs: 500 });
  const answers = await Promise.all(['a', ...Array<string>(20).fill('hang'), 'b'].map(ask));
  expect(answers.map((answer) => answer?.[1] ?? null)).toEqual(['a', ...Array<null>(21).fill(null)]);
  expect(readFileSync(starts, 'utf8').split('start').length - 1).toBeLessThanOrEqual(3);
  expect((await ask('c'))?.[1]).toBe('c');
});

it('ends an idle program, and starts it again for the next question', async () => {
  helper = made({ idleMs: 10 });
  const pid = (await ask('a'))?.[0];
  await expect.poll(() => isThere(pid)).toBe(false);
  expect((await ask('b'))?.[0]).not.toBe(pid);
});

it('answers null if the program cannot be started', async () => {
  helper = made({ command: '/nowhere' });
  expect(await Promise.all(['a', 'b'].map(ask))).toEqual([null, null]);
});

it.each([
  ['hangs', 'exec sleep 60'],
  ['ends', 'sleep 0.2; exit 1'],
])('waits once, not for each question, if the program %s at its start', async (_, script) => {
  const starts = join(folder, 'starts');
  helper = made({ args: ['-c', `echo start >> ${starts}; ${script}`], answerMs: 500 });
  const since = performance.now();
  const questions = Array.from({ length: 60 }, (_, number) => helper.ask(String(number)));
  expect(new Set(await Promise.all(questions))).toEqual(new Set([null]));
  for (let later = 0; later < 60; later++) expect(await helper.ask('later')).toBeNull();
  expect(performance.now() - since).toBeLessThan(5_000);
  expect(readFileSync(starts, 'utf8')).toBe('start\n');
});

it('answers waiting questions with null when it is stopped', async () => {
  const [pid] = (await ask('a')) ?? [];
  const waiting = ask('hang');
  helper.stop();
  expect(await waiting).toBeNull();
  await expect.poll(() => isThere(pid)).toBe(false);
});

it('ends a line at a line feed only, whatever characters are in it', async () => {
  const names = ['a\u2028b', 'c\u2029d', 'e\rf'];
  expect((await Promise.all(names.map(ask))).map((answer) => answer?.[1])).toEqual(names);
});

function isThere(pid: string | undefined): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
