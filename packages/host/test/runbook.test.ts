import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { BIN, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const PAGE = new URL('../../../docs/operations.md', import.meta.url);

/** The commands of each part of the section "Recovery", by its heading, in order. */
function runbook(): Map<string, string[]> {
  const text = readFileSync(PAGE, 'utf8');
  const section = /^## Recovery\n(.*?)^## /ms.exec(text)?.[1] ?? '';
  const parts = section.split(/^### /m).slice(1);
  return new Map(
    parts.map((part) => {
      const blocks = [...part.matchAll(/^```\n(.*?)^```/gms)].map(([, block = '']) => block);
      return [part.split('\n')[0] ?? '', blocks.join('').trim().split('\n')];
    }),
  );
}

let folder: string;
let daemon: TestDaemon;
let operator: Operator;
const at = (name: string) => join(daemon.stateDir, name);

beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/porthole-test-runbook-');
  for (const name of ['backup', 'disk']) mkdirSync(join(folder, name), { mode: 0o711 });
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1', { config: { 'user.who': 'c1' } });
});
afterAll(async () => {
  await daemon?.destroy();
  rmSync(folder, { recursive: true });
});

/** What happens before each part of the runbook is needed. */
const BEFORE: Readonly<Record<string, () => Promise<void>>> = {
  'Back up now': async () => {},
  'The database is damaged or lost': async () => {
    await daemon.kill();
    writeFileSync(at('porthole.db'), 'x'.repeat(5_000), { flag: 'r+' });
    await expect(daemon.start()).rejects.toThrow('`portholed recover`');
  },
  'The database is lost, and there is no copy': async () => {
    await daemon.stop();
    for (const name of ['porthole.db', 'backups']) rmSync(at(name), { recursive: true });
    await expect(daemon.start()).rejects.toThrow('`portholed recover`');
  },
  'Go back to an earlier state': async () => {
    await daemon.must('config', 'set', 'c1', 'user.who=wrong');
  },
  'The state directory moves to another disk': async () => {},
};

/** Carries out a line of the page, with the paths of this test; the test is the service manager. */
async function carryOut(line: string): Promise<void> {
  if (line.startsWith('systemctl stop portholed.service')) return void (await daemon.stop());
  if (line === 'systemctl start portholed.service') return daemon.start();
  const command = line.replaceAll('/var/lib/porthole', daemon.stateDir).replaceAll('/mnt/', `${folder}/`);
  const env = { ...process.env, PORTHOLE_DIR: daemon.stateDir, PATH: `${BIN}:${process.env['PATH']}` };
  const { failure } = await run('sh', ['-c', command], { env: env as Record<string, string> });
  expect([line, failure]).toEqual([line, '']);
}

it('of the page has these parts', () => {
  expect([...runbook().keys()]).toEqual(Object.keys(BEFORE));
});

it.each([...runbook()])('works: %s', async (title, lines) => {
  await BEFORE[title]?.();
  for (const line of lines) await carryOut(line);
  expect(await daemon.must('list', '-f', 'csv', '-c', 'ns')).toBe('c1,RUNNING\n');
  expect(await operator.sh('c1', 'devlxd /1.0/config/user.who')).toBe('c1');
});
