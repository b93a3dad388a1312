import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A file that a source names relative to itself, such as `new URL('./worker.ts', import.meta.url)`. */
const REFERENCE = /new URL\('([^']+)', import\.meta\.url\)/g;

/** The name of a file in the built form, where all files are in one folder. */
export function builtName(path: string): string {
  const name = basename(path).replace(/\.ts$/, '.cjs');
  // Several rooms have a `worker.ts`.
  return name === 'worker.cjs' ? `${basename(dirname(path))}-${name}` : name;
}

/** The text of a source for the built form. @param path of the source */
export function withBuiltNames(code: string, path: string): string {
  return code.replaceAll(
    REFERENCE,
    (_all, reference: string) => `new URL('./${builtName(join(dirname(path), reference))}', import.meta.url)`,
  );
}

/** All files that the sources below a folder name by a relative URL. */
export function referencedFiles(folder: string): string[] {
  const sources = globSync('**/*.ts', { cwd: folder }).filter(
    (path) => !/\.test\.ts$|\/testing\//.test(path),
  );
  const found = sources.flatMap((source) => {
    const path = join(folder, source);
    const references = [...readFileSync(path, 'utf8').matchAll(REFERENCE)];
    return references.map(([, reference = '']) => join(dirname(path), reference));
  });
  return [...new Set(found)].sort();
}
