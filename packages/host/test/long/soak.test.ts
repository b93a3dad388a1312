import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../../src/process/run.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const TEMPORARY = '/var/tmp';
const SIZE = ['--minutes', '1', '--containers', '5', '--adopted', '100'];
const SOAK_MS = 5 * 60_000;

interface Report {
  readonly restarts: readonly number[];
  readonly counts: { readonly answers: number; readonly changes: number; readonly events: number };
  readonly memory: Readonly<Record<string, { readonly pss: number; readonly heap: number }>>;
  readonly samples: readonly { readonly heap: number | null; readonly pss: number }[];
  readonly checks: readonly { readonly name: string; readonly holds: boolean | null }[];
}

it(
  'a soak of a minute passes its checks, and leaves nothing behind',
  async () => {
    const before = globSync(`${TEMPORARY}/porthole-soak-*`);
    const folder = mkdtempSync(join(TEMPORARY, 'porthole-test-soak-'));
    try {
      const file = join(folder, 'soak.json');
      const args = [join(ROOT, 'soak/main.ts'), ...SIZE, '--out', file];
      const { stdout, stderr, code } = await run(process.execPath, args, { timeoutMs: SOAK_MS });
      expect(code, `${stdout}${stderr}`).toBe(0);
      const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
      // In so short a time the memory is shown and not judged.
      const unjudged = report.checks.filter(({ holds }) => holds !== true).map(({ name }) => name);
      const [memory, heap] = [
        expect.stringMatching(/^memory at the end/),
        expect.stringMatching(/heap at the end/),
      ];
      expect(unjudged).toEqual([memory, memory, heap, heap]);
      expect(report.restarts).toHaveLength(5);
      for (const count of Object.values(report.counts).slice(0, 3)) expect(count).toBeGreaterThan(100);
      expect(report.samples.some(({ heap, pss }) => heap !== null && pss > heap)).toBe(true);
      for (const { pss, heap } of Object.values(report.memory)) expect(pss).toBeGreaterThan(heap);
      expect(Object.values(report.memory)).toHaveLength(3);
      expect(readFileSync(`${file}.svg`, 'utf8')).toContain('</svg>');
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(globSync(`${TEMPORARY}/porthole-soak-*`)).toEqual(before);
  },
  SOAK_MS,
);
