import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder of Porthole's commands, such as /usr/lib/porthole/bin.
 * @param program path of the program that runs, in the sources or in the built form
 */
export function ownBin(program: string = process.argv[1] ?? ''): string {
  for (let folder = dirname(program); ; folder = dirname(folder)) {
    const bin = join(folder, 'bin');
    if (existsSync(join(bin, 'porthole-runtime'))) return bin;
    if (folder === dirname(folder))
      throw new Error(`There is no folder bin with porthole-runtime above ${program}`);
  }
}
