import { parseArgs } from 'node:util';

/** Where faults are tried. */
export type Place = 'memory' | 'real';

/** A parsed command line. */
export type Plan =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'walk';
      readonly places: readonly Place[];
      /** Only faults whose name has this text; empty: all. */
      readonly match: string;
    }
  | {
      readonly kind: 'random';
      readonly places: readonly Place[];
      readonly minutes: number;
      /** undefined: a random one. */
      readonly seed: string | undefined;
    };

const MINUTES = 20;
const MINUTES_MAX = 7 * 24 * 60;
const PLACES: readonly Place[] = ['memory', 'real'];

export const HELP = `Usage: npm run faults [-- --only memory|real] [-- --match TEXT]
       npm run faults -- --random [--minutes N] [--seed S] [--only memory|real]

Causes a fault at each named step of a daemon's work, starts the next daemon, and checks that nothing is lost, half done
or left behind. It needs root and LXC. It changes nothing outside of its own folders in /var/tmp, and removes them.

Without --random it tries all steps of: launch, start, stop, restart, delete, import, export, profile edit, device
change, adoption, restart in place, and the start of a daemon after another one was killed. At each step it tries these
faults, one after another:

  kill         the daemon is killed (SIGKILL), before the step or after it
  full disk    the step fails, because the disk is full
  I/O error    the step fails, because the disk fails
  failure      the program that the step runs fails
  hang         the program does not end. In memory the step fails after a while; a real daemon is killed before that

  --only P       memory: only the heart of the daemon, on a machine in memory; takes minutes
                 real: only a whole daemon with LXC containers, whose programs, files and commits are watched; takes
                 about an hour
  --match TEXT   only faults whose name has this text, such as "launch: program lxc-start" or "hang"
  --random       does random work, with faults at random steps, also while the next daemon starts
  --minutes N    how long the random work lasts; default ${MINUTES}
  --seed S       the seed of all random choices; default: a random seed, which is printed. In memory a seed repeats a
                 walk exactly. With a real daemon it repeats the choices, but the steps can come in another order
  --help

It prints a line for each piece of work. A line with VIOLATION says what is wrong. It compares the database (read with
other code), the journal, folders, mounts, cgroups, processes, interfaces, and what instances read over the guest API.

Exit code: 0 if it found nothing, 1 if it found a violation, 2 if it could not run, 130 after Ctrl-C. Then it first ends
the piece of work that it is at, and removes what it has made.
`;

/** Reads the command line. @throws Error that names what is wrong */
export function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      match: { type: 'string' },
      random: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { only, match, random, minutes, seed } = values;
  if (values.help) return { kind: 'help' };
  const places = only === undefined ? PLACES : PLACES.filter((place) => place === only);
  if (places.length === 0) throw new Error(`--only: memory or real, not "${only}"`);
  if (!random && (minutes ?? seed) !== undefined) throw new Error('--minutes and --seed go with --random');
  if (random && match !== undefined) throw new Error('--match does not go with --random');
  if (!random) return { kind: 'walk', places, match: match ?? '' };
  return { kind: 'random', places, minutes: minutes === undefined ? MINUTES : minutesOf(minutes), seed };
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (text.trim() !== '' && minutes > 0 && minutes <= MINUTES_MAX) return minutes;
  throw new Error(`--minutes: a number above 0, at most ${MINUTES_MAX}`);
}
