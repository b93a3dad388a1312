import type { Plugin } from 'rolldown';

/**
 * Modules of Node that take long to load and of which the programs use functions only. `node:crypto` alone takes a
 * fifth of the time that `porthole list` needs.
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

const PREFIX = '\0late:';

/** Loads these modules at the first call of one of their functions, not at the start of each program. */
export const lateModules: Plugin = {
  name: 'late-modules',
  resolveId: {
    filter: { id: /^(node:)?[a-z_]+(\/[a-z]+)?$/ },
    handler(source) {
      const name = source.startsWith('node:') ? source : `node:${source}`;
      return LATE.includes(name) ? { id: PREFIX + name, moduleSideEffects: false } : null;
    },
  },
  load(id) {
    return id.startsWith(PREFIX) ? lateModule(id.slice(PREFIX.length)) : null;
  },
};

/** The text of a module with the functions of another; it has neither its classes nor its constants. */
function lateModule(name: string): string {
  const real = process.getBuiltinModule(name) as Readonly<Record<string, unknown>>;
  const names = Object.keys(real).filter((key) => /^[a-z]/.test(key) && typeof real[key] === 'function');
  return [
    `const real = () => process.getBuiltinModule('${name}');`,
    ...names.map((key) => `export const ${key} = (...args) => real().${key}(...args);`),
    `export default { ${names.join(', ')} };`,
  ].join('\n');
}
