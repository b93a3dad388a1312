// Goal: what the project has promised itself about its own tree stays true. Method: read every file of code
// and look. A rule that is broken names the file; what to do about it stands in CONTRIBUTING.md.
import { describe, expect, it } from 'vitest';
import { bannedCalls } from './tidy/calls.ts';
import { deadExports } from './tidy/dead-exports.ts';
import { deadFiles, isEntry, longFiles, markers } from './tidy/leftovers.ts';
import { missingPaths, pages } from './tidy/pages.ts';
import { forbiddenImports, mutualFolders, ROOMS, roomOf } from './tidy/rooms.ts';
import { readSources, readText } from './tidy/source.ts';
import { foreignWords } from './tidy/words.ts';

const sources = readSources();

describe('the tree', () => {
  it('imports only along the table of rooms', () => {
    expect(forbiddenImports(sources)).toEqual([]);
  });

  it('has no two folders that import each other', () => {
    expect(mutualFolders(sources)).toEqual([]);
  });

  it('has every room of the table, and no other', () => {
    const rooms = new Set(sources.flatMap(({ path }) => roomOf(path) ?? []));
    expect([...rooms].sort()).toEqual(Object.keys(ROOMS).sort());
  });

  it('calls the clock, chance and process.exit only where it may', () => {
    expect(bannedCalls(sources)).toEqual([]);
  });

  it('has no marks of unfinished work', () => {
    expect(markers(sources)).toEqual([]);
  });

  it('has no file that is too long', () => {
    expect(longFiles(sources)).toEqual([]);
  });

  it('has no unused file', () => {
    expect(deadFiles(sources)).toEqual([]);
  });

  it('has no export that no other file uses', () => {
    expect(deadExports(sources, isEntry)).toEqual([]);
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
