import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../tidy/source.ts';
import { npm } from './modules.ts';
import { Stage } from './stage.ts';

const SOURCES = join(ROOT, 'packages/guest');

/** The modules that programs import. */
const ENTRIES: Readonly<Record<string, string>> = { '.': 'client', './wire': 'wire' };

/**
 * Makes the npm package of the client for instances: JavaScript with types.
 * @param work a folder for intermediate files
 * @param target the folder of the package
 */
export function makeGuestPackage(work: string, target: string, version: string): void {
  rmSync(work, { recursive: true, force: true });
  compile(work);
  const stage = new Stage(work);
  stage.copy(join(SOURCES, 'README.md'), 'README.md');
  stage.copy(join(ROOT, 'LICENSE'), 'LICENSE');
  stage.write('package.json', `${JSON.stringify(manifest(version), null, 2)}\n`);
  mkdirSync(target, { recursive: true });
  npm(work, ['pack', '--ignore-scripts', '--silent', `--pack-destination=${work}`]);
  const name = `porthole-guest-${version}.tgz`;
  cpSync(join(work, name), join(target, name));
}

function compile(work: string): void {
  mkdirSync(work, { recursive: true });
  const config = join(work, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    target: 'es2022',
    lib: ['es2023'],
    rootDir: join(SOURCES, 'src'),
    outDir: join(work, 'lib'),
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  const files = Object.values(ENTRIES).map((name) => join(SOURCES, 'src', `${name}.ts`));
  writeFileSync(
    config,
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, files, include: [] }),
  );
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config], {
    stdio: 'inherit',
  });
  rmSync(config);
}

function manifest(version: string): object {
  const {
    private: _,
    exports: __,
    ...rest
  } = JSON.parse(readFileSync(join(SOURCES, 'package.json'), 'utf8'));
  const exports = Object.entries(ENTRIES).map(([name, file]) => [
    name,
    { types: `./lib/${file}.d.ts`, default: `./lib/${file}.js` },
  ]);
  return {
    ...rest,
    version,
    exports: Object.fromEntries(exports),
    engines: { node: '>=20' },
    files: ['lib'],
  };
}
