import { resolveFrom, type Source } from './source.ts';

/** Declarations that a file offers to others: values, and types. */
const EXPORTED = /^export (?:abstract |async )?(function\*?|const|class|interface|type) (\w+)/gm;
/** The names of an import or re-export, up to the opening quote of the module. */
const IMPORTED =
  /\b(?:import|export)\b(?:\s+type\b)?\s*(?:\w+\s*,\s*)?(\{[^}]*\}|\*)[^;'"`()=]*?\bfrom\s*['"]/g;
/** `await import('./x.ts')` and a worker's `new URL('./x.ts', ...)`: the whole module counts as used. */
const WHOLE = /\b(?:import\s*\(\s*|new\s+URL\(\s*)['"]/g;

const ALL = '*';

/**
 * Exports that no other file imports, tests included, each as `FILE: NAME`. A type may also stand in the signature of
 * what is imported: it counts as used when its own file names it once more.
 * @param isEntry whether something other than an import starts a file
 */
export function deadExports(sources: readonly Source[], isEntry: (path: string) => boolean): string[] {
  const used = new Map<string, Set<string>>();
  for (const source of sources)
    for (const { target, names } of usesOf(source)) {
      const all = used.get(target) ?? new Set();
      for (const name of names) all.add(name);
      used.set(target, all);
    }
  return sources
    .filter(({ path }) => !isEntry(path))
    .flatMap(({ path, code }) => {
      const names = used.get(path) ?? new Set();
      if (names.has(ALL)) return [];
      return [...code.matchAll(EXPORTED)].flatMap(([, kind = '', name = '']) =>
        names.has(name) || isSignature(kind, name, code) ? [] : `${path}: ${name}`,
      );
    });
}

function isSignature(kind: string, name: string, code: string): boolean {
  return (kind === 'type' || kind === 'interface') && code.split(new RegExp(`\\b${name}\\b`)).length > 2;
}

function usesOf(source: Source): { target: string; names: readonly string[] }[] {
  const { path, code } = source;
  const named = [...code.matchAll(IMPORTED)].map((match) => ({
    target: targetAt(source, match.index + match[0].length),
    names: match[1] === ALL ? [ALL] : namesIn(match[1] as string),
  }));
  const whole = [...code.matchAll(WHOLE)].map((match) => ({
    target: targetAt(source, match.index + match[0].length),
    names: [ALL],
  }));
  return [...named, ...whole].map((use) => ({ ...use, target: resolveFrom(path, use.target) }));
}

/** The specifier that begins at a place. */
function targetAt({ text }: Source, start: number): string {
  return text.slice(start, start + text.slice(start).search(/['"]/));
}

/** `{ a, type B, c as d }`: a, B, c. */
function namesIn(clause: string): string[] {
  return clause
    .slice(1, -1)
    .split(',')
    .map(
      (each) =>
        each
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s/)[0] as string,
    )
    .filter(Boolean);
}
