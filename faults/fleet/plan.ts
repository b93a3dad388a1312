import { parseArgs } from 'node:util';

/** A parsed command line. */
export type FleetPlan =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'walk';
      readonly minutes: number;
      /** undefined: a random one. */
      readonly seed: string | undefined;
      /** The checkout whose daemon is tried; undefined: this one. */
      readonly root: string | undefined;
      /** Whether no faults come. */
      readonly isQuiet: boolean;
      /** Where the daemons' logs stay; undefined: nowhere. */
      readonly logs: string | undefined;
    };

const MINUTES = 10;
const MINUTES_MAX = 24 * 60;

export const HELP = `Usage: npm run fleet-faults [-- --minutes N] [--seed S]

Starts three nodes of etcd and three daemons, each in a network namespace of its own, and makes the daemons members of a
fleet. Operators change keys, profiles and aliases on all members, and guests in namespaces of their own read and write
keys and follow their events, while faults come at random. Then it compares all that was acknowledged, and all that each
guest has seen, with etcd's own history. It needs root. It removes everything that it has made.

  --minutes N    how long faults come; default ${MINUTES}
  --seed S       the seed of all random choices; default: a random seed, which is printed. It repeats the faults and the
                 choices of operators, not their exact times
  --quiet        without faults
  --root DIR     tries the daemon of another checkout
  --logs DIR     keeps the logs of the daemons there, and all that was noted
  --help

It prints a line for each fault. A line with VIOLATION says what is wrong.

Exit code: 0 if it found nothing, 1 if it found a violation, 2 if it could not run, 130 after Ctrl-C.
`;

/** Reads the command line. @throws Error that names what is wrong */
export function fleetPlanOf(args: readonly string[]): FleetPlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      root: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      logs: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  const { minutes, seed, root, logs, quiet: isQuiet } = values;
  return {
    kind: 'walk',
    minutes: minutes === undefined ? MINUTES : minutesOf(minutes),
    seed,
    root,
    logs,
    isQuiet,
  };
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (text.trim() !== '' && minutes > 0 && minutes <= MINUTES_MAX) return minutes;
  throw new Error(`--minutes: a number above 0, at most ${MINUTES_MAX}`);
}
