import { importsOf } from './imports.ts';
import { isTest, type Source } from './source.ts';

/** Written in pieces, so that this file does not find itself. */
const MARKERS = new RegExp(
  `\\b(${['TO', 'FIX', 'XX'].map((start, n) => start + ['DO', 'ME', 'X'][n]).join('|')})\\b`,
);

/** Tests that are only planned; Biome refuses those that are skipped or alone. */
const PLANNED = /\b(it|test|describe)\.todo\b/;

/** Marks of unfinished work. */
export function markers(sources: readonly Source[]): string[] {
  return sources
    .filter(({ text, code }) => MARKERS.test(text) || PLANNED.test(code))
    .map(({ path, text, code }) => `${path}: ${(MARKERS.exec(text) ?? PLANNED.exec(code))?.[0]}`);
}

/** A longer file mostly holds two things. */
const FILE_LINES_MAX = 300;

/** Files that are too long, tests apart. Ours, since Biome's rule does not count the lines inside block comments. */
export function longFiles(sources: readonly Source[]): string[] {
  return sources
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ path, lines }) => !isTest(path) && lines > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${FILE_LINES_MAX}`);
}

/** Files that something other than an import starts. */
const ENTRIES = [
  /^packages\/host\/src\/(cli\/program\/|tour\/|tour\/cluster\/|wrapper\/)?main\.ts$/,
  /^packages\/guest\/src\/(client|wire|main|cli\/main)\.ts$/,
  /^setup\/(start|cluster|test|bench|fuzz|faults|fleet-faults|soak|give-ids)\.mjs$/,
  /^bin\/compile-cache\.cjs$/,
  /^vitest\.config\.ts$/,
  /^(fuzz|soak)\/main\.ts$/,
  /^soak\/inside\.mjs$/,
  /^faults\/(main\.ts|real\/preload\.mjs|fleet\/(main|delay|planted)\.ts)$/,
  /^packages\/host\/test\/harness\/(busybox|build)-setup\.ts$/,
  /^tools\/(picture|build|package|session)\/main\.ts$/,
  /^bench\/(main|peers\/node-http-server)\.ts$/,
];

/** Whether something other than an import starts a file. */
export function isEntry(path: string): boolean {
  return ENTRIES.some((entry) => entry.test(path));
}

/** Sources that nothing imports, other than a test, and that are no entry. */
export function deadFiles(sources: readonly Source[]): string[] {
  const imported = new Set(
    sources
      .filter(({ path }) => !isTest(path) || path.startsWith('tools/'))
      .flatMap(importsOf)
      .map(({ target }) => target),
  );
  return sources
    .map(({ path }) => path)
    .filter((path) => !isTest(path) && !imported.has(path) && !isEntry(path));
}
