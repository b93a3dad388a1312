import { cpSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Packages with compiled code, which cannot be bundled. */
export const NATIVE_PACKAGES = ['koffi', '@lydell/node-pty'];

/** Their compiled code, in a package for each processor. */
const COMPILED = ['@koromix/koffi-linux-', '@lydell/node-pty-linux-'];

/** Sources of the compiled code, documentation, and what only other systems need. */
const LEFT_OUT = /\/(vendor|doc|lib|musl_\w+)$|\.(md|txt|inc|def|cc|hh|h|S|asm|d\.ts)$/;

/**
 * Copies the packages with compiled code.
 * @param modules the node_modules that has them, for one processor or several
 * @param architecture as Node calls it, such as x64
 */
export function copyNativePackages(modules: string, target: string, architecture: string): void {
  const names = [...NATIVE_PACKAGES, ...COMPILED.map((name) => name + architecture)];
  for (const name of names) {
    const source = join(modules, name);
    if (!existsSync(source))
      throw new Error(`${name} is missing in ${modules}: npm ci --cpu=${architecture} installs it`);
    cpSync(source, join(target, name), {
      recursive: true,
      filter: (path) => isLicence(path) || !LEFT_OUT.test(path.slice(dirname(source).length)),
    });
  }
}

function isLicence(path: string): boolean {
  return /\/LICENSE[^/]*$/i.test(path);
}
