import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { masked } from './mask.ts';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One file of ours that holds code. */
export interface Source {
  /** From the root of the checkout, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the insides of strings turned into spaces; same length, same lines. */
  readonly code: string;
}

/** What holds nothing of ours, or nothing to read; `.git` is a file in a further working tree. */
const SKIPPED = new Set(['.git', 'node_modules', 'dist', 'dist-packages', 'results', 'findings']);

/** All files below a folder of the checkout, paths from the root; sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      if (SKIPPED.has(entry.name)) return [];
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}

/** Every file of code in the checkout. */
export function readSources(): Source[] {
  return filesBelow('')
    .filter((path) => /\.(ts|mjs|js)$/.test(path))
    .map((path) => sourceOf(path, readText(path)));
}

/** A source from its text. */
export function sourceOf(path: string, text: string): Source {
  return { path, text, code: masked(text) };
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** What a relative specifier in a file names, from the root of the checkout. */
export function resolveFrom(path: string, specifier: string): string {
  return relative(ROOT, join(ROOT, dirname(path), specifier));
}

/** Tests and what only they use. */
export function isTest(path: string): boolean {
  return (
    /\.test\.(ts|mjs)$/.test(path) || /^packages\/[^/]+\/test\//.test(path) || path.includes('/testing/')
  );
}
