import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NPM_CI } from './modules.mjs';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const { packages } = JSON.parse(read('package-lock.json'));
/** What npm downloads; the workspaces are links. */
const downloaded = Object.entries(packages).filter(
  ([path, { link }]) => /node_modules\//.test(path) && !link,
);

describe('dependencies', () => {
  it('all have a hash of their content in the lock file, also those for other systems', () => {
    expect(downloaded.length).toBeGreaterThan(100);
    expect(
      downloaded.filter(([, entry]) => !/^sha512-.{88}$/.test(entry.integrity)).map(([path]) => path),
    ).toEqual([]);
  });

  it('come only from the registry', () => {
    const elsewhere = downloaded.filter(
      ([, { resolved }]) => resolved && !resolved.startsWith('https://registry.npmjs.org/'),
    );
    expect(elsewhere).toEqual([]);
  });

  it('that projects name are pinned to one version', () => {
    const projects = ['package.json', 'packages/host/package.json', 'packages/guest/package.json'];
    const ranges = projects
      .map((path) => JSON.parse(read(path)))
      .flatMap((json) => [json.dependencies, json.devDependencies, json.optionalDependencies])
      .flatMap((each) => Object.entries(each ?? {}))
      .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(ranges).toEqual([]);
  });

  it('run no scripts when they are installed, neither by the setup nor by hand', () => {
    expect(NPM_CI).toContain('--ignore-scripts');
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  });
});
