import { basename } from 'node:path';
import { importsOf } from './imports.ts';
import { isTest, type Source } from './source.ts';

/** Written in pieces, so that this file does not find itself. */
const MARKERS = new RegExp(
  `\\b(${['TO', 'FIX', 'XX'].map((start, n) => start + ['DO', 'ME', 'X'][n]).join('|')})\\b`,
);
const FOCUSED = /\b(it|test|describe|suite|bench)\.(only|skip|todo)\b|\bdebugger\b/;

/** Marks of unfinished work, and tests that are switched off or alone. */
export function markers(sources: readonly Source[]): string[] {
  return sources
    .filter(({ text, code }) => MARKERS.test(text) || FOCUSED.test(code))
    .map(({ path, text, code }) => `${path}: ${(MARKERS.exec(text) ?? FOCUSED.exec(code))?.[0]}`);
}

/** Files that something other than an import starts. */
const ENTRIES = [
  /^packages\/host\/src\/(cli\/program\/|tour\/)?main\.ts$/,
  /^packages\/guest\/src\/(client|wire|main|cli\/main)\.ts$/,
  /^setup\/(start|test|bench|fuzz)\.mjs$/,
  /^bin\/compile-cache\.mjs$/,
  /^vitest\.config\.ts$/,
  /^fuzz\/main\.ts$/,
  /^tools\/picture\/main\.ts$/,
  /^bench\/(main|peers\/node-http-server)\.ts$/,
];

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
    .filter((path) => !isTest(path) && !imported.has(path) && !ENTRIES.some((entry) => entry.test(path)));
}

/** Files that only pass on what others export: importers should name the source. */
export function barrels(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path, code }) => {
      const statements = code
        .split(';')
        .map((each) => each.trim())
        .filter(Boolean);
      const passedOn = statements.filter((each) => /^export\b[^=(]*\bfrom\b/.test(each));
      return (
        basename(path).startsWith('index.') ||
        (statements.length > 0 && passedOn.length === statements.length)
      );
    })
    .map(({ path }) => path);
}

/** Default exports: one thing would have another name in every file. Tools' own configuration needs them. */
export function defaultExports(sources: readonly Source[]): string[] {
  return sources
    .filter(
      ({ path, code }) => /\bexport\s+default\b|\bas\s+default\b/.test(code) && !/\.config\.ts$/.test(path),
    )
    .map(({ path }) => path);
}

/** Names of code files that are not kebab-case, migrations' leading number allowed. */
export function oddNames(sources: readonly Source[]): string[] {
  return sources
    .map(({ path }) => path)
    .filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|bench))?\.(ts|mjs|js)$/.test(basename(path)));
}
