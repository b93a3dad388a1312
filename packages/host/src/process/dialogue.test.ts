import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { Dialogue } from './dialogue.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-dialogue-');
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(text: string): string {
  const path = join(folder, 'program.mjs');
  writeFileSync(path, text);
  return path;
}

/** Prints its argument, then each line that it hears, in two pieces. */
const ECHO = `
  process.stdout.write(process.argv[2] + '\\n');
  process.stdin.on('data', (text) => {
    process.stdout.write('he');
    setTimeout(() => { process.stdout.write('ard ' + text); process.exit(); }, 10);
  });`;

it('gives whole lines, and answers them', async () => {
  const lines: string[] = [];
  const talk = new Dialogue(program(ECHO), ['begin'], (line) => {
    lines.push(line);
    if (line === 'begin') talk.say('on');
  });
  await talk.end;
  expect(lines).toEqual(['begin', 'heard on']);
  expect(talk.isRunning).toBe(false);
});

it('fails with the last words of the program', async () => {
  const talk = new Dialogue(program("console.error('no room'); process.exit(3)"), [], () => {});
  await expect(talk.end).rejects.toThrow('no room');
  const other = new Dialogue(program("process.kill(process.pid, 'SIGKILL')"), [], () => {});
  await expect(other.end).rejects.toThrow('the program was ended');
});

it('kills a program that takes too long, or whose line is refused', async () => {
  const waits = program('setInterval(() => {}, 1000); console.log(1)');
  const slow = new Dialogue(waits, [], () => {});
  slow.limit(10, 'too slow');
  await expect(slow.end).rejects.toThrow('too slow');
  const refused = new Dialogue(waits, [], () => {
    throw new Error('refused');
  });
  await expect(refused.end).rejects.toThrow('refused');
  await expect.poll(() => [slow.isRunning, refused.isRunning]).toEqual([false, false]);
});
