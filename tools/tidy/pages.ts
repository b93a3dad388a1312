import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesBelow, ROOT } from './source.ts';

/** Where the daemon's rooms are: pages name their files from here. */
const ROOMS = 'packages/host/src';

/** Code, and what goes with it; of other files there are such that are made, or an operator's. */
const CODE = /`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs|js|py|c|sh|svg))`/g;
/** Folders of the checkout, and files in them of any kind. */
const PLACE = /`((?:packages|setup|tools|bin|docs|bench|fuzz|faults|soak)\/[\w./-]*)`/g;
/** What a link leads to, but for other sites. */
const LINK = /\]\((?!https?:)([^)#\s]+)/g;

/** Made by a run, and no part of the checkout. */
const MADE: readonly string[] = ['fuzz/findings'];

/** The pages for people. */
export function pages(): string[] {
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesBelow('docs')].filter((path) =>
    path.endsWith('.md'),
  );
}

/** Paths that a page names, in the text or as a link, where nothing is; each as `PAGE: PATH`. */
export function missingPaths(page: string, text: string, exists = isThere): string[] {
  const named = [...text.matchAll(CODE), ...text.matchAll(PLACE)]
    .map(([, path]) => path as string)
    .filter((path) => !MADE.includes(path));
  const linked = [...text.matchAll(LINK)].map(([, path]) => join(dirname(page), path as string));
  const missing = [
    ...named.filter((path) => !exists(path) && !exists(`${ROOMS}/${path}`)),
    ...linked.filter((path) => !exists(path)),
  ];
  return [...new Set(missing)].map((path) => `${page}: ${path}`);
}

function isThere(path: string): boolean {
  return existsSync(join(ROOT, path));
}
