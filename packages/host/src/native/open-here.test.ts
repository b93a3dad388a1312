import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openHere } from './open-here.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-test-open-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('opens a file, and no link', async () => {
  writeFileSync(join(folder, 'file'), 'text');
  symlinkSync('file', join(folder, 'link'));
  await using file = await openHere(join(folder, 'file'), 0);
  expect(await file.readFile('utf8')).toBe('text');
  await expect(openHere(join(folder, 'link'), 0)).rejects.toMatchObject({ code: 'ELOOP' });
  await expect(openHere(join(folder, 'none'), 0)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(openHere(join(folder, 'none/file'), 0)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('opens nothing that is mounted in the place', async () => {
  mkdirSync(join(folder, 'below'));
  await expect(openHere('/proc', 0)).rejects.toMatchObject({ code: 'EXDEV' });
  await using below = await openHere(join(folder, 'below'), 0);
  expect((await below.stat()).isDirectory()).toBe(true);
});
