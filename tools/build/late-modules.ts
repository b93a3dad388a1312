import type { Plugin } from 'rolldown';

/**
 * Modules of Node that take long to load, and of which our sources and the libraries here use functions only.
 * `node:crypto` alone takes a tenth of the time of `porthole list`.
 */
const LATE = [
  {
    importers: /\/packages\/|\/node_modules\/commander\//,
    modules: [
      'node:child_process',
      'node:crypto',
      'node:fs/promises',
      'node:readline',
      'node:stream/consumers',
      'node:stream/promises',
      'node:timers/promises',
      'node:tls',
      'node:zlib',
    ],
  },
  // For servers and clients with certificates, which the daemon of a single host does not have.
  {
    importers: /\/node_modules\/(fastify|ws)\//,
    modules: ['node:dns', 'node:http2', 'node:https', 'node:tls'],
  },
  // For websockets with compression, which the daemon does not have, and for the keys of a handshake.
  { importers: /\/node_modules\/ws\//, modules: ['node:crypto', 'node:zlib'] },
];

const PREFIX = '\0late:';

/** Loads these modules at the first call of one of their functions, not at the start of each program. */
export const lateModules: Plugin = {
  name: 'late-modules',
  resolveId(source, importer = '') {
    const name = laterModule(source, importer);
    return name === undefined ? null : { id: PREFIX + name, moduleSideEffects: false };
  },
  load(id) {
    return id.startsWith(PREFIX) ? lateModule(id.slice(PREFIX.length)) : null;
  },
};

/** The name of a module that `importer` loads late; undefined for all others. */
export function laterModule(source: string, importer: string): string | undefined {
  const name = source.startsWith('node:') ? source : `node:${source}`;
  const isLate = LATE.some((each) => each.importers.test(importer) && each.modules.includes(name));
  return isLate ? name : undefined;
}

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
