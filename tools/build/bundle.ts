import { isAscii } from 'node:buffer';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { ROOT } from '../tidy/source.ts';
import { lateModules } from './late-modules.ts';
import { copyNativePackages, NATIVE_PACKAGES } from './native-packages.ts';
import { builtName, referencedFiles, withBuiltNames } from './program-files.ts';

const SOURCES = join(ROOT, 'packages/host/src');

/** Programs that users start, by their built names. */
const ENTRIES = {
  portholed: 'main.ts',
  porthole: 'cli/program/main.ts',
  'porthole-runtime': 'wrapper/main.ts',
};

/** Started or read by the shells of users. */
const SCRIPTS = ['porthole', 'portholed', 'porthole-runtime', 'run.sh', 'hook.sh', 'compile-cache.cjs'];

const placeNames: Plugin = {
  name: 'place-names',
  transform: {
    filter: { id: /packages\/.*\.ts$/ },
    handler(code, id) {
      const built = withBuiltNames(code, id);
      // No line moves, so the source map stays right.
      return built === code ? null : { code: built, map: null };
    },
  },
};

/**
 * Libraries that Fastify loads only for routes with schemas, of which we have none, and for tests. Their text would take
 * a fifth of a megabyte of the daemon's memory.
 */
const UNUSED = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request'];

const unused: Plugin = {
  name: 'unused',
  resolveId: (source) => (UNUSED.includes(source) ? `\0unused:${source}` : null),
  load: (id) =>
    id.startsWith('\0unused:') ? "throw new Error('This library is not a part of Porthole')" : null,
};

/** Where the parts of the built form come from and go to. */
export interface Build {
  /** The folder to make; what is in it is removed. */
  readonly target: string;
  /** The node_modules with compiled code for `architecture`. */
  readonly modules: string;
  /** As Node calls it, such as x64. */
  readonly architecture: string;
}

/** Makes the built form: `bin` with the commands, `lib` with everything that they load, `node_modules`. */
export async function build({ target, modules, architecture }: Build): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  const lib = join(target, 'lib');
  const references = referencedFiles(SOURCES).filter((path) => statSync(path).isFile());
  await bundle(
    lib,
    references.filter((path) => path.endsWith('.ts')),
  );
  for (const path of references.filter((each) => !each.endsWith('.ts')))
    cpSync(path, join(lib, builtName(path)));
  mkdirSync(join(target, 'bin'));
  for (const name of SCRIPTS) cpSync(join(ROOT, 'bin', name), join(target, 'bin', name));
  copyNativePackages(modules, join(target, 'node_modules'), architecture);
}

/** @param programs started as processes or threads of their own */
async function bundle(dir: string, programs: readonly string[]): Promise<void> {
  const { porthole, ...entries } = ENTRIES;
  // The command line has chunks of its own: it would load more with those that it shares with the daemon.
  await write(dir, [['porthole', join(SOURCES, porthole)]], LISTS_AT_ONCE);
  await write(dir, [
    ...Object.entries(entries).map(([name, path]) => [name, join(SOURCES, path)] as const),
    ...programs.map((path) => [builtName(path).replace(/\.cjs$/, ''), path] as const),
  ]);
}

/** The parts of a plain `porthole list`, a command that scripts run often, in one file. */
const LISTS_AT_ONCE = {
  name: 'porthole',
  test: /cli\/program\/main\.ts$/,
  includeDependenciesRecursively: true,
};

async function write(
  dir: string,
  entries: readonly (readonly [name: string, path: string])[],
  group?: typeof LISTS_AT_ONCE,
): Promise<void> {
  const made = await rolldown({
    input: Object.fromEntries(entries),
    platform: 'node',
    external: NATIVE_PACKAGES,
    plugins: [placeNames, lateModules, unused],
    // Commands are imported late, but all of them together by the program that has all commands.
    checks: { ineffectiveDynamicImport: false },
  });
  const { output } = await made.write({
    dir,
    // Node loads CommonJS faster: for ES modules it also loads the exports of node:process and others.
    format: 'cjs',
    sourcemap: true,
    minify: true,
    // V8 keeps the text of a program in memory, and takes twice as much for a text with other characters.
    charset: 'ascii',
    // The package has the texts of all licences in one file.
    comments: { legal: false },
    keepNames: true,
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunk-[name]-[hash].cjs',
    ...(group ? { codeSplitting: { groups: [group] } } : {}),
  });
  await made.close();
  for (const { fileName, type } of output)
    if (type === 'chunk' && !isAscii(readFileSync(join(dir, fileName))))
      throw new Error(`${fileName} is not ASCII`);
}
