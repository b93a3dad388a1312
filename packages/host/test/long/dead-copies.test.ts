import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';
import { CallerTools } from '../harness/caller.ts';
import { mountsBelow, TestDaemon } from '../harness/daemon.ts';
import { Deaf } from '../harness/deaf.ts';

let folder: string;
let tools: CallerTools;
let deaf: Deaf;
let daemon: TestDaemon;

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-dead-');
  const point = join(folder, 'mnt');
  mkdirSync(point);
  tools = new CallerTools();
  deaf = await Deaf.onHost(tools, point, 'copies', 0);
  daemon = await TestDaemon.start(['--backup-folder', join(point, 'copies')]);
});
afterAll(async () => {
  await daemon?.destroy();
  await deaf?.end();
  for (const mount of mountsBelow(folder)) await run('umount', ['--lazy', mount]);
  tools?.[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const DEAD = 'the disk of the copies does not answer';

it('changes and a restart in place do not wait for a disk of copies that does not answer, and an operator is told', async () => {
  const making = daemon.porthole('backup', 'create');
  const listing = daemon.porthole('backup', 'list');
  await daemon.must('profile', 'create', 'meanwhile');
  expect((await making).stderr).toContain(DEAD);
  expect((await listing).stderr).toContain(DEAD);
  // The first program hangs in the kernel: no second one is started.
  const held = deaf.held;
  expect((await daemon.porthole('backup', 'create')).stderr).toContain(
    'the program that made an earlier copy hangs',
  );
  expect((await daemon.porthole('backup', 'list')).stderr).toContain(DEAD);
  expect(deaf.held).toBe(held);
  expect(await daemon.must('info')).toContain('The last copy FAILED');
  await daemon.restartInPlace();
  await daemon.must('profile', 'delete', 'meanwhile');
});

it('the daemon ends at once although the disk of its copies does not answer', async () => {
  const making = daemon.porthole('backup', 'create');
  expect(await daemon.stop()).toBe(0);
  expect((await making).code).toBe(1);
});
