import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test as it } from 'vitest';
import { LogFollower } from './log-follower.ts';

let folder: string;
let log: string;
let follower: LogFollower;
let text: string;
let ended: Promise<void>;
let heard: () => void;

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-log-');
  log = join(folder, 'console.log');
  text = '';
  heard = () => {};
});
afterEach(async () => {
  follower.stop();
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

function follow(): void {
  follower = new LogFollower(log);
  ended = (async () => {
    for await (const chunk of follower.read()) {
      text += chunk;
      heard();
    }
  })();
}

async function sees(wanted: string): Promise<void> {
  while (text !== wanted) await new Promise<void>((resolve) => (heard = resolve));
}

it('what is there comes first, then what is added', async () => {
  writeFileSync(log, 'one\n');
  follow();
  await sees('one\n');
  appendFileSync(log, 'two\n');
  await sees('one\ntwo\n');
});

it('a log that does not exist yet is waited for', async () => {
  follow();
  writeFileSync(log, 'one\n');
  await sees('one\n');
});

it('a file that takes its place, or is emptied, is read from its beginning', async () => {
  writeFileSync(log, 'one\n');
  follow();
  await sees('one\n');
  appendFileSync(log, 'end\n');
  renameSync(log, `${log}.1`);
  writeFileSync(log, 'two\n');
  await sees('one\nend\ntwo\n');
  truncateSync(log);
  appendFileSync(log, '3\n');
  await sees('one\nend\ntwo\n3\n');
});

it('it ends with the folder of the log', async () => {
  writeFileSync(log, 'one\n');
  follow();
  await sees('one\n');
  rmSync(folder, { recursive: true });
  await ended;
});
