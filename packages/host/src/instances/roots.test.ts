import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Image, ImageTemplate } from '../core/entities.ts';
import type { ImageDirectory } from '../images/image-directory.ts';
import { type IsNeeded, Roots } from './roots.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const NO_IMAGES = {} as ImageDirectory;

let folder: string;
const make = (...names: string[]) => {
  for (const name of names) mkdirSync(join(folder, name, 'etc'), { recursive: true });
};
const left = () => readdirSync(folder).sort();
const needing =
  (...bases: readonly string[]): IsNeeded =>
  (base) =>
    bases.includes(base);

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-roots-');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('roots', () => {
  it('are removed if no image and no instance needs them, or if they are incomplete', async () => {
    make(`${A}-100000`, `${A}-0`, `${B}-0`, `${C}-0`, `${C}-0.unpack-1f`, `${A}-0.removed`);
    make('empty-0', 'lost+found');
    await new Roots(folder, NO_IMAGES).sweep(needing(A, B));
    expect(left()).toEqual([`${A}-0`, `${A}-100000`, `${B}-0`, 'empty-0', 'lost+found'].sort());
  });

  it('have the templates of images beside them, for as long as an image or an instance needs them', async () => {
    const roots = new Roots(folder, NO_IMAGES);
    const templates = [{ path: '/etc/hostname' }] as unknown as readonly ImageTemplate[];
    const keep = (fingerprint: string) => roots.keepTemplates({ fingerprint, templates } as unknown as Image);
    await Promise.all([keep(A), keep(A), keep(B), keep(C), roots.sweep(needing(A, B, C))]);
    await roots.keepTemplates({ fingerprint: 'd'.repeat(64) } as Image);
    make(`${A}.templates.new`, `${'e'.repeat(64)}.templates.removed`);
    await roots.sweep(needing(A, B));
    expect(left()).toEqual([`${A}.templates`, `${B}.templates`]);
    const of = (base: string) => roots.templates({ config: base ? { 'volatile.base_image': base } : {} });
    expect([await of(B), await of(C), await of('')]).toEqual([templates, [], []]);
  });

  it('stay if they were there before keepPresent()', async () => {
    const roots = new Roots(folder, NO_IMAGES);
    make(`${A}-0`);
    await roots.keepPresent();
    make(`${B}-0`);
    await roots.sweep(needing());
    expect(left()).toEqual([`${A}-0`]);
  });
});
