import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildBusybox } from '../../src/build/busybox.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the busybox image. */
    busybox: string;
  }
}

/** Builds the busybox image once for all test files: nearly all need it, and it is always the same. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync('/var/tmp/porthole-test-busybox-');
  const path = join(folder, 'busybox.tar.gz');
  await buildBusybox({ path, onProgress: () => {} });
  project.provide('busybox', path);
  return () => rmSync(folder, { recursive: true });
}
