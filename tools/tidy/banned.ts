import { importsOf } from './imports.ts';
import { isTest, type Source } from './source.ts';

interface Ban {
  readonly what: string;
  /** Found in code, comments and strings left out. */
  readonly pattern: RegExp;
  /** Beginnings of paths where it is at home. */
  readonly allowed: readonly string[];
  readonly instead: string;
}

const HOST = 'packages/host/src/';
const CLI = `${HOST}cli/`;
const TOUR = `${HOST}tour/`;

/** Calls that belong to one room each. */
export const BANNED_CALLS: readonly Ban[] = [
  {
    what: 'process.env',
    pattern: /\bprocess\.env\b/,
    allowed: [
      `${HOST}config/`,
      `${HOST}main.ts`,
      `${HOST}process/`,
      CLI,
      TOUR,
      'setup/',
      'packages/guest/src/cli',
    ],
    instead: 'a field of the config',
  },
  {
    what: 'console',
    pattern: /\bconsole\.\w/,
    allowed: [CLI, TOUR, 'packages/guest/src/cli'],
    instead: 'the log',
  },
  {
    what: 'process.exit',
    pattern: /\bprocess\.exit\(/,
    // Its reader is gone (EPIPE): there is nothing to finish. The daemon has finished, and nothing may go on.
    allowed: [`${CLI}program/main.ts`, 'packages/host/src/main.ts'],
    instead: 'process.exitCode, so that what is under way ends',
  },
  {
    what: 'Math.random',
    pattern: /\bMath\.random\b/,
    allowed: [],
    instead: 'node:crypto, or a seed',
  },
  {
    what: 'the system time',
    pattern: /\bDate\.now\(|\bnew Date\(\s*\)/,
    allowed: [
      `${HOST}base/clock.ts`,
      `${HOST}http/`,
      `${HOST}client/`,
      CLI,
      TOUR,
      'setup/',
      'packages/guest/',
      'bench/',
    ],
    instead: 'the Clock that is handed in',
  },
];

/** Modules that belong to one room each. */
const BANNED_MODULES: Readonly<Record<string, readonly string[]>> = {
  'node:child_process': [`${HOST}process/`, `${HOST}runtimes/`, CLI, TOUR, 'setup/', 'bench/'],
  'node:sqlite': [`${HOST}store/`],
  'node:worker_threads': [`${HOST}native/`, `${HOST}lane/`, `${HOST}sender/`],
  koffi: [`${HOST}native/`],
  fastify: [`${HOST}host/`],
  pino: [`${HOST}base/log.ts`],
  commander: [CLI],
};

/** Calls outside their room; tests may call what they like. */
export function bannedCalls(sources: readonly Source[]): string[] {
  return ours(sources).flatMap(({ path, code }) =>
    BANNED_CALLS.filter(({ pattern, allowed }) => pattern.test(code) && !isAt(path, allowed)).map(
      ({ what, instead }) => `${path} uses ${what}: use ${instead}`,
    ),
  );
}

/** Modules imported outside their room. */
export function bannedModules(sources: readonly Source[]): string[] {
  return ours(sources).flatMap((source) =>
    importsOf(source)
      .filter(
        ({ specifier }) => specifier in BANNED_MODULES && !isAt(source.path, BANNED_MODULES[specifier] ?? []),
      )
      .map(({ specifier }) => `${source.path} imports ${specifier}`),
  );
}

function ours(sources: readonly Source[]): Source[] {
  return sources.filter(({ path }) => !isTest(path));
}

function isAt(path: string, places: readonly string[]): boolean {
  return places.some((place) => path.startsWith(place));
}
