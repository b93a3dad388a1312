import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { build } from '../../../../tools/build/bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the built programs; ends with a slash. */
    bin: string;
  }
}

const MODULES = fileURLToPath(new URL('../../../../node_modules', import.meta.url));

/** Builds Porthole in a temporary folder. The tests start the programs there. */
export async function setup(project: TestProject): Promise<() => void> {
  const target = mkdtempSync('/var/tmp/porthole-test-built-');
  await build({ target, modules: MODULES, architecture: process.arch });
  symlinkSync(process.execPath, join(target, 'bin/node'));
  project.provide('bin', join(target, 'bin/'));
  return () => rmSync(target, { recursive: true, force: true });
}
