import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NPM_CI } from '../../setup/modules.mjs';
import { readText } from '../tidy/source.ts';

const MANIFESTS = [
  'package.json',
  'package-lock.json',
  'packages/host/package.json',
  'packages/guest/package.json',
];

/** npm's environment: the settings of the machine must not change the content of a package. */
const TARGET = ['--os=linux', '--libc=glibc', '--omit=dev'];

/** Parts of package.json and package-lock.json. */
interface Manifest {
  devDependencies?: unknown;
  dev?: boolean;
  packages?: Record<string, Manifest>;
}

/**
 * Installs what the host package needs at run time for a processor, as the lock file says, into a folder of its own.
 * @param architecture as Node calls it
 */
export function installModules(folder: string, architecture: string): void {
  for (const path of MANIFESTS) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const manifest = JSON.parse(readText(path)) as Manifest;
    writeFileSync(join(folder, path), JSON.stringify(withoutTools(manifest)));
  }
  npm(folder, [...NPM_CI.filter((word) => word !== '--include=dev'), ...TARGET, `--cpu=${architecture}`]);
}

/** A manifest without the development dependencies. */
function withoutTools({ devDependencies: _, packages, ...rest }: Manifest): Manifest {
  if (!packages) return rest;
  const kept = Object.entries(packages).filter(([, { dev }]) => dev !== true);
  return { ...rest, packages: Object.fromEntries(kept.map(([path, each]) => [path, withoutTools(each)])) };
}

/** Runs npm. @returns its standard output */
export function npm(folder: string, args: readonly string[]): string {
  return execFileSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
