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
  const figures = toText(report);
  const own: Files =
    plan.out === undefined ? {} : { [plan.out]: figures, [`${plan.out}.svg`]: drawSoak(report) };
  return writeAll({ ...own, ...(plan.record ? { [RESULTS]: figures, ...madeOf(report) } : {}) });
}

/** Makes the committed picture and table again from the committed figures. @returns the files */
export function recorded(): string[] {
  return writeAll(madeOf(JSON.parse(readFileSync(RESULTS, 'utf8')) as Report));
}

/** Texts by the paths of their files. */
type Files = Readonly<Record<string, string>>;

function madeOf(report: Report): Files {
  const page = withBlock(readFileSync(PAGE, 'utf8'), 'soak', pageLines(report));
  return { [PICTURE]: drawSoak(report), [PAGE]: page };
}

function writeAll(files: Files): string[] {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return Object.keys(files);
}

/** JSON with one line for each sample. */
function toText({ samples, ...rest }: Report): string {
  const lines = samples.map((sample) => `    ${JSON.stringify(sample)}`).join(',\n');
  const head = JSON.stringify(rest, null, 2).slice(0, -'\n}'.length);
  return `${head},\n  "samples": [\n${lines}\n  ]\n}\n`;
}
