import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withBlock } from '../bench/report.ts';
import { drawSoak } from './draw.ts';
import type { Plan } from './plan.ts';
import { pageLines, type Report } from './report.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** The committed figures, and what is made of them. */
export const RESULTS = at('./results/latest.json');
export const PICTURE = at('../docs/soak.svg');
export const PAGE = at('../docs/reliability.md');

/** Writes what the plan asks for. @returns the files that were written */
export function write(plan: Plan, report: Report): string[] {
  const files: (readonly [string, string])[] = [];
  const [figures, picture] = [toText(report), drawSoak(report)];
  if (plan.out !== undefined) files.push([plan.out, figures], [`${plan.out}.svg`, picture]);
  if (plan.record) {
    const page = withBlock(readFileSync(PAGE, 'utf8'), 'soak', pageLines(report));
    files.push([RESULTS, figures], [PICTURE, picture], [PAGE, page]);
  }
  for (const [file, text] of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return files.map(([file]) => file);
}

/** JSON with one line for each sample. */
function toText({ samples, ...rest }: Report): string {
  const lines = samples.map((sample) => `    ${JSON.stringify(sample)}`).join(',\n');
  const head = JSON.stringify(rest, null, 2).slice(0, -'\n}'.length);
  return `${head},\n  "samples": [\n${lines}\n  ]\n}\n`;
}
