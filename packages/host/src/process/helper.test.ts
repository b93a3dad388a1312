import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Helper, type HelperOptions } from './helper.ts';

// Says its pid and the line; "hang" and "die" are obeyed.
const PROGRAM =
  'while read -r line; do case $line in hang) exec sleep 60;; die) exit 1;; *) echo "$$ $line";; esac; done';

let helper: Helper;

function made(options: Partial<HelperOptions> = {}): Helper {
  const env = { PATH: '/usr/bin:/bin' };
  return new Helper({
    command: 'sh',
    args: ['-c', PROGRAM],
    env,
    answerMs: 60_000,
    idleMs: 60_000,
    ...options,
  });
}

beforeEach(() => {
  helper = made();
});

afterEach(() => helper.stop());

const ask = async (line: string) => (await helper.ask(line))?.split(' ') ?? null;

test('answers in order, by one program', async () => {
  const answers = await Promise.all(['a', 'b', 'c'].map(ask));
  expect(answers.map((answer) => answer?.[1])).toEqual(['a', 'b', 'c']);
  expect(new Set(answers.map((answer) => answer?.[0])).size).toBe(1);
  expect((await ask('later'))?.[0]).toBe(answers[0]?.[0]);
});

test('a question that it dies of costs the others nothing', async () => {
  const answers = await Promise.all(['a', 'die', 'b', 'die', 'c'].map(ask));
  expect(answers.map((answer) => answer?.[1] ?? null)).toEqual(['a', null, 'b', null, 'c']);
});

test('a question that it hangs on ends it, and costs the others nothing', async () => {
  helper = made({ answerMs: 300 });
  const answers = await Promise.all(['a', 'hang', 'b'].map(ask));
  expect(answers.map((answer) => answer?.[1] ?? null)).toEqual(['a', null, 'b']);
  expect(answers[2]?.[0]).not.toBe(answers[0]?.[0]);
});

test('ends when it is asked nothing, and is started again when it is', async () => {
  helper = made({ idleMs: 10 });
  const pid = (await ask('a'))?.[0];
  await expect.poll(() => isThere(pid)).toBe(false);
  expect((await ask('b'))?.[0]).not.toBe(pid);
});

test('a program that cannot be started answers nothing', async () => {
  helper = made({ command: '/nowhere' });
  expect(await Promise.all(['a', 'b'].map(ask))).toEqual([null, null]);
});

test('whoever waits when it is stopped has no answer', async () => {
  const [pid] = (await ask('a')) ?? [];
  const waiting = ask('hang');
  helper.stop();
  expect(await waiting).toBeNull();
  await expect.poll(() => isThere(pid)).toBe(false);
});

function isThere(pid: string | undefined): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
