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
const BANNED_CALLS: readonly Ban[] = [
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

/** Calls outside their room; tests may call what they like. */
export function bannedCalls(sources: readonly Source[]): string[] {
  return ours(sources).flatMap(({ path, code }) =>
    BANNED_CALLS.filter(({ pattern, allowed }) => pattern.test(code) && !isAt(path, allowed)).map(
      ({ what, instead }) => `${path} uses ${what}: use ${instead}`,
    ),
  );
}

function ours(sources: readonly Source[]): Source[] {
  return sources.filter(({ path }) => !isTest(path));
}

function isAt(path: string, places: readonly string[]): boolean {
  return places.some((place) => path.startsWith(place));
}
