import type { Plugin } from 'rolldown';

/**
 * Modules of Node that take long to load, and of which our sources use functions only. `node:crypto` alone takes a
 * tenth of the time of `porthole list`.
 */
const LATE = [
  'node:child_process',
  'node:crypto',
  'node:fs/promises',
  'node:readline',
  'node:stream/consumers',
  'node:stream/promises',
  'node:timers/promises',
];

/** Other libraries may use classes and constants of these modules, too. */
const IMPORTERS = /\/packages\/|\/node_modules\/commander\//;

const PREFIX = '\0late:';

/** Loads these modules at the first call of one of their functions, not at the start of each program. */
export const lateModules: Plugin = {
  name: 'late-modules',
  resolveId(source, importer) {
    if (!LATE.includes(source) || !IMPORTERS.test(importer ?? '')) return null;
    return { id: PREFIX + source, moduleSideEffects: false };
  },
  load(id) {
    return id.startsWith(PREFIX) ? lateModule(id.slice(PREFIX.length)) : null;
  },
};

/** The text of a module with the functions of another. The build fails for an import of anything else. */
export function lateModule(name: string): string {
  const real = process.getBuiltinModule(name) as Readonly<Record<string, unknown>>;
  const names = Object.keys(real).filter((key) => /^[a-z]/.test(key) && typeof real[key] === 'function');
  return [
    `const real = () => process.getBuiltinModule('${name}');`,
    ...names.map((key) => `export const ${key} = (...args) => real().${key}(...args);`),
    `export default { ${names.join(', ')} };`,
  ].join('\n');
}
