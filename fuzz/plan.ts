import { parseArgs } from 'node:util';
import { TARGET_NAMES, type TargetName } from './target.ts';

/** A parsed command line. */
export type Plan =
  | {
      readonly kind: 'fuzz';
      readonly minutes: number;
      /** undefined: a random one. */
      readonly seed: string | undefined;
      readonly targets: readonly TargetName[];
      /** A folder with more cases to begin with; new cases are written there. */
      readonly corpus: string | undefined;
    }
  | { readonly kind: 'replay'; readonly file: string }
  | { readonly kind: 'help' };

const MINUTES = 5;
const MINUTES_MAX = 7 * 24 * 60;

export const HELP = `Usage: npm run fuzz [-- --minutes N] [-- --seed S] [-- --only guest,lane] [-- --corpus DIR]
       npm run fuzz -- --replay FILE

Sends made-up input to parts of the daemon and checks what has to hold. The input does not leave this machine.

  --minutes N     how long, all targets together; ${MINUTES}
  --seed S        seed of all random choices; it is printed, and the same seed tries the same cases
  --only LIST     some targets only
  --corpus DIR    more cases to begin with; those that reach something new are written there
  --replay FILE   one case, such as a finding
  --help

  guest      bytes to the guest API, whole and in pieces
  host       requests to the host API
  archives   images
  websocket  frames to event streams and execs
  lane       the same bytes to the fast lane and to the server without it

Exit code: 0 nothing found, 1 something found, 2 it could not be run.
`;

/** Reads the command line. @throws Error that names what is wrong */
export function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      corpus: { type: 'string' },
      replay: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  if (values.replay !== undefined) return { kind: 'replay', file: values.replay };
  return {
    kind: 'fuzz',
    minutes: values.minutes === undefined ? MINUTES : minutesOf(values.minutes),
    seed: values.seed,
    targets: values.only === undefined ? TARGET_NAMES : targetsOf(values.only),
    corpus: values.corpus,
  };
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (text.trim() !== '' && minutes > 0 && minutes <= MINUTES_MAX) return minutes;
  throw new Error(`--minutes: a number above 0, at most ${MINUTES_MAX}`);
}

function targetsOf(list: string): TargetName[] {
  const names = list.split(',');
  const unknown = names.find((name) => !TARGET_NAMES.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--only: there is no target "${unknown}"`);
  return TARGET_NAMES.filter((name) => names.includes(name));
}
