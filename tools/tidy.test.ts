// Goal: what the project has promised itself about its own tree stays true. Method: read every file of code
// and look. A rule that is broken names the file; what to do about it stands in CONTRIBUTING.md.
import { describe, expect, it } from 'vitest';
import { bannedCalls, bannedModules } from './tidy/banned.ts';
import { barrels, deadFiles, defaultExports, markers, oddNames } from './tidy/leftovers.ts';
import { missingPaths, pages } from './tidy/pages.ts';
import { forbiddenImports, importCycles, mutualFolders, ROOMS, roomOf } from './tidy/rooms.ts';
import { sizeProblems } from './tidy/sizes.ts';
import { readSources, readText } from './tidy/source.ts';
import { foreignWords } from './tidy/words.ts';

const sources = readSources();

describe('the tree', () => {
  it('imports only along the table of rooms', () => {
    expect(forbiddenImports(sources)).toEqual([]);
  });

  it('has no circle of imports', () => {
    expect(importCycles(sources)).toEqual([]);
  });

  it('has no two folders that import each other', () => {
    expect(mutualFolders(sources)).toEqual([]);
  });

  it('has every room of the table, and no other', () => {
    const rooms = new Set(sources.flatMap(({ path }) => roomOf(path) ?? []));
    expect([...rooms].sort()).toEqual(Object.keys(ROOMS).sort());
  });

  it('has small files and functions, but for exceptions that may only shrink', () => {
    expect(sizeProblems(sources)).toEqual([]);
  });

  it('calls the environment, the clock, the terminal and chance from their rooms only', () => {
    expect(bannedCalls(sources)).toEqual([]);
  });

  it('imports processes, SQL, threads and native code from their rooms only', () => {
    expect(bannedModules(sources)).toEqual([]);
  });

  it('has no unfinished work and no test that is switched off', () => {
    expect(markers(sources)).toEqual([]);
  });

  it('has no file that nobody uses', () => {
    expect(deadFiles(sources)).toEqual([]);
  });

  it('has no barrel and no default export', () => {
    expect([...barrels(sources), ...defaultExports(sources)]).toEqual([]);
  });

  it('names its files in kebab-case', () => {
    expect(oddNames(sources)).toEqual([]);
  });

  it('does not speak of the machine that it was written on', () => {
    expect(foreignWords()).toEqual([]);
  });
});

describe('the documents', () => {
  it('have a row for every room', () => {
    const page = readText('docs/architecture.md');
    expect(Object.keys(ROOMS).filter((room) => !page.includes(`| \`${room}\` |`))).toEqual([]);
  });

  it('name only files that exist', () => {
    expect(pages().flatMap((page) => missingPaths(page, readText(page)))).toEqual([]);
  });

  it('have every refusal that an instance can meet', () => {
    const page = readText('docs/guest-api.md');
    const table = readText('packages/host/src/guest/guest-errors.ts');
    const rows = [...table.matchAll(/^ {2}\S+: \[(\d{3}), '([^%']+)/gm)].map(
      ([, status, text]) => `| ${status} | \`${text}`,
    );
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
  });

  it('tell what is new: the changelog has a section for this version or for the next', () => {
    const { version } = JSON.parse(readText('package.json')) as { version: string };
    const headings = [...readText('CHANGELOG.md').matchAll(/^## \[(.+?)\]/gm)].map((match) => match[1]);
    expect(headings.some((heading) => heading === 'Unreleased' || heading === version)).toBe(true);
  });
});
