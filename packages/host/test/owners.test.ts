import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { shiftOwners } from '../src/runtimes/lxc/owners.ts';

const UNPRIVILEGED = { uid: 100_000, gid: 300_000 };
const PRIVILEGED = { uid: 0, gid: 0 };

let scratch: string;
let folder: string;
beforeEach(() => {
  scratch = mkdtempSync('/var/tmp/porthole-owners-');
  folder = join(scratch, 'overlay');
  mkdirSync(folder);
});
// rm(1) removes folders of any depth.
afterEach(() => void execFileSync('rm', ['-rf', scratch]));

const facts = (name: string) => {
  const { uid, gid, mode } = lstatSync(join(folder, name));
  return [uid, gid, mode & 0o7777];
};

it('users and groups are each moved into their own range, with set-user-id bits kept, and moved back', async () => {
  const program = join(folder, 'program');
  writeFileSync(program, '');
  chownSync(program, 0, 42);
  chmodSync(program, 0o6755);
  await shiftOwners(folder, UNPRIVILEGED);
  expect([facts('.').slice(0, 2), facts('program')]).toEqual([
    [100_000, 300_000],
    [100_000, 300_042, 0o6755],
  ]);
  await shiftOwners(folder, PRIVILEGED);
  expect([facts('.').slice(0, 2), facts('program')]).toEqual([
    [0, 0],
    [0, 42, 0o6755],
  ]);
});

it('ids outside the range and the targets of links stay', async () => {
  const outside = join(scratch, 'outside');
  writeFileSync(outside, '');
  writeFileSync(join(folder, 'foreign'), '');
  chownSync(join(folder, 'foreign'), 70_000, 70_001);
  symlinkSync(outside, join(folder, 'link'));
  symlinkSync(scratch, join(folder, 'up'));
  await shiftOwners(folder, UNPRIVILEGED);
  expect(facts('foreign').slice(0, 2)).toEqual([70_000, 70_001]);
  expect(facts('link').slice(0, 2)).toEqual([100_000, 300_000]);
  expect([lstatSync(outside).uid, lstatSync(scratch).uid]).toEqual([0, 0]);
});

it('folders are reached as deep as a guest can make them, with any names', async () => {
  const levels = 2_000;
  const script = `import os,sys
os.chdir(sys.argv[1])
for n in range(${levels}):
    os.mkdir(b'\\xff\\n'); os.chdir(b'\\xff\\n')
open('last', 'w').close()
`;
  execFileSync('/usr/bin/python3', ['-c', script, folder]);
  await shiftOwners(folder, UNPRIVILEGED);
  const found = execFileSync('find', [folder, '-printf', '%U:%G\n'], { encoding: 'utf8' });
  expect(new Set(found.trim().split('\n'))).toEqual(new Set(['100000:300000']));
  expect(found.trim().split('\n')).toHaveLength(levels + 2);
}, 60_000);
