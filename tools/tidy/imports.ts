import { resolveFrom, type Source } from './source.ts';

/** One import, re-export or worker that a file names. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** From the root of the checkout when relative or one of our packages; else null. */
  readonly target: string | null;
  /** `import type` and `export type`: gone at run time. */
  readonly typeOnly: boolean;
  /** `new URL('./x.ts', ...)`: a file that is started, as a worker. */
  readonly thread: boolean;
}

/** Statements and expressions that end in a module's name: its opening quote is the last character. */
const NAMED =
  /\b(?:(import|export)\b(\s+type\b)?[^;'"`()=]*?\bfrom\s*|import\s*\(?\s*|new\s+URL\(\s*)(['"])/g;

/** What our own packages offer by name. */
const OWN: Readonly<Record<string, string>> = {
  '@porthole/guest': 'packages/guest/src/client.ts',
  '@porthole/guest/wire': 'packages/guest/src/wire.ts',
};

/** Everything that a file imports, in order. Workers (`new URL('./x.ts', import.meta.url)`) count. */
export function importsOf(source: Source): Import[] {
  return [...source.code.matchAll(NAMED)].flatMap((match) => {
    const start = match.index + match[0].length;
    const specifier = source.text.slice(start, source.text.indexOf(match[3] as string, start));
    const thread = match[0].startsWith('new');
    if (thread && !/^\.{1,2}\/.*\.(ts|mjs|js)$/.test(specifier)) return [];
    return [
      { specifier, target: targetOf(source.path, specifier), typeOnly: match[2] !== undefined, thread },
    ];
  });
}

function targetOf(path: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return resolveFrom(path, specifier);
  return OWN[specifier] ?? null;
}
