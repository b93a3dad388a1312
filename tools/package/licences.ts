import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package whose code is in ours. */
export interface Bundled {
  readonly name: string;
  readonly version: string;
  /** As its package.json says, such as MIT. */
  readonly licence: string;
  /** The text that must accompany the code. */
  readonly text: string;
}

/** Packages without their own licence text, and the packages that have the text for them. */
const PUBLISHED_WITH: readonly (readonly [RegExp, string])[] = [
  [/^@koromix\/koffi-linux-/, 'koffi'],
  [/^@lydell\/node-pty-linux-/, '@lydell/node-pty'],
];

/** All packages in a node_modules, with those inside others. @throws when one has no text of a licence */
export function bundledPackages(modules: string): Bundled[] {
  const manifests = globSync(
    [
      '*/package.json',
      '@*/*/package.json',
      '**/node_modules/*/package.json',
      '**/node_modules/@*/*/package.json',
    ],
    { cwd: modules },
  );
  return [...new Set(manifests)]
    .filter((path) => !path.startsWith('.') && !path.startsWith('@porthole/'))
    .map((path) => bundledAt(modules, join(modules, path, '..')))
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** Parts of package.json. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: unknown;
}

function bundledAt(modules: string, folder: string): Bundled {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const { name, version, license } = manifest;
  const other = PUBLISHED_WITH.find(([pattern]) => pattern.test(name))?.[1];
  const text = licenceText(folder) ?? (other ? licenceText(join(modules, other)) : standardText(manifest));
  if (!license || text === null) throw new Error(`${name} ${version} has no licence or no text of it`);
  return { name, version, licence: license, text };
}

/** The text of a licence that a package only names. */
function standardText({ license, author }: Manifest): string | null {
  return license === 'MIT' && typeof author === 'string' && author !== '' ? mitText(author) : null;
}

function licenceText(folder: string): string | null {
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying)([.-].*)?$/i.test(name));
  if (files.length === 0) return null;
  return files
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').trim())
    .join('\n\n');
}

/**
 * The file `copyright`: our licence, then that of each package whose code is in ours.
 * @param own text of our licence
 */
export function copyrightText(own: string, bundled: readonly Bundled[]): string {
  const rest = bundled.map(({ name, version, licence, text }) =>
    [`${name} ${version}`, `Licence: ${licence}`, '', text].join('\n'),
  );
  const intro =
    'Porthole is licensed under the Apache License, version 2.0, whose text is below and, on Debian, in\n/usr/share/common-licenses/Apache-2.0. It contains the packages that follow, each with its own licence.';
  return `${[intro, own.trim(), ...rest].join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}

/** The MIT licence as spdx.org has it. */
function mitText(holder: string): string {
  return `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
}
