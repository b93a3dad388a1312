import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from '../../tools/build/bundle.ts';
import type { Bench } from '../bench.ts';
import { CHECKOUT } from './porthole.ts';

/** Builds Porthole as users install it, with a Node of its own. @returns its folder */
export async function buildForm({ folder }: Pick<Bench, 'folder'>, name: string): Promise<string> {
  const target = join(folder, name);
  await build({ target, modules: join(CHECKOUT, 'node_modules'), architecture: process.arch });
  // A copy, as in the package: memory is counted as if no other process used the same Node.
  await copyFile(process.execPath, join(target, 'bin/node'));
  return target;
}
