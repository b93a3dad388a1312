import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureSubordinateIds, hasRange, parseRanges, rangeLine } from './subordinate-ids.mjs';

describe('subordinate ids', () => {
  it('are read line by line, skipping comments and invalid lines', () => {
    const text = '# users\nann:100000:65536\n\nroot:1:\nbob:x:65536\nroot:1000000:1000000000\n';
    expect(parseRanges(text)).toEqual([
      { owner: 'ann', first: 100000, count: 65536 },
      { owner: 'root', first: 1000000, count: 1000000000 },
    ]);
  });

  it('are found for root by name and by number, and not by part of a name', () => {
    expect(hasRange('root:1000000:65536', 'root')).toBe(true);
    expect(hasRange('0:1000000:65536\n', 'root')).toBe(true);
    expect(hasRange('rooty:1000000:65536\n', 'root')).toBe(false);
    expect(hasRange('root:1000000:0\n', 'root')).toBe(false);
  });

  it('start where LXD has them when these ids are free', () => {
    expect(rangeLine(['ann:100000:65536\n', ''])).toBe('root:1000000:1000000000');
  });

  it('start after every other range of both files', () => {
    expect(rangeLine(['ann:999999:2\n', 'bob:2000000:65536\n'])).toBe('root:2065536:1000000000');
  });

  it('are the same in both files when root has them in one only', () => {
    expect(rangeLine(['root:1000000:1000000000\n', ''])).toBe('root:1000000:1000000000');
  });

  it('are refused when they would pass the last user id', () => {
    expect(rangeLine(['ann:4000000000:65536\n', ''])).toBeNull();
  });

  describe('in files', () => {
    /** What the files hold afterwards. */
    function ensured(...before) {
      const folder = mkdtempSync(join(tmpdir(), 'porthole-ids-'));
      try {
        const files = ['subuid', 'subgid'].map((name) => join(folder, name));
        files.forEach((path, index) => {
          writeFileSync(path, before[index]);
        });
        ensureSubordinateIds(files);
        return files.map((path) => readFileSync(path, 'utf8'));
      } finally {
        rmSync(folder, { recursive: true });
      }
    }

    it('stay as they are if root has some, also if another user has the ids near the last one', () => {
      const texts = ['root:1000000:65536\nann:4000000000:65536\n', '0:1000000:65536\nann:4000000000:65536'];
      expect(ensured(...texts)).toEqual(texts);
    });

    it('are added to the file in which root has none', () => {
      expect(ensured('root:1000000:1000000000\n', 'ann:5:1')).toEqual([
        'root:1000000:1000000000\n',
        'ann:5:1\nroot:1000000:1000000000\n',
      ]);
    });

    it('if all ids are taken, both files stay as they were, and the error says why', () => {
      expect(() => ensured('ann:4000000000:65536\n', '')).toThrow('No free ids for root');
    });
  });
});
