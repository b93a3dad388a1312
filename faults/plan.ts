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

Lets a daemon meet a fault at each named step of its work, starts the next daemon, and checks that nothing is lost, half
done or left behind. Needs root and LXC. It changes nothing outside of its own folders in /var/tmp, and removes them.

Without --random it walks through all steps of: launch, start, stop, restart, delete, import, export, profile edit,
device change, adoption, hand-over (a restart in place), and recovery (the start of a daemon after another one was
killed). At each step come, one after another:

  kill         the daemon is killed (SIGKILL), before the step or after it
  full disk    the step fails: there is no room
  I/O error    the step fails: the disk does
  failure      the program that the step runs fails
  hang         the program does not end; in memory it is given up in the end, a real daemon is killed meanwhile

  --only P       memory: the heart of the daemon on a machine in memory, minutes; real: a whole daemon with LXC
                 containers, whose calls of programs, files and database are watched, about an hour
  --match TEXT   only faults whose name has this text, such as "launch: program lxc-start" or "hang"
  --random       does work at random, with faults at random steps, also during the start that follows
  --minutes N    how long; ${MINUTES}
  --seed S       seed of all random choices; it is printed. In memory the same seed does the same again. With a real
                 daemon it makes the same choices; when a kernel or LXC is faster, steps can come in another order
  --help

A line says what was done, and VIOLATION what does not agree: the database (read with other code), the journal, folders,
mounts, cgroups, processes, interfaces, and what instances read over the guest API.

Exit code: 0 nothing found, 1 something found, 2 it could not be run.
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
