import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PARTS, type Part } from './figures.ts';
import { ATTACKS, type Attack, attacksOf } from './neighbours/attacks.ts';
import { CHECKOUT } from './peers/porthole.ts';

/** What the benchmarks measure, and how much of it. */
export interface Plan {
  readonly quick: boolean;
  readonly parts: readonly Part[];
  /** Also write the tables into the page about performance. */
  readonly record: boolean;
  /** Rounds in which all subjects are measured, one after the other. */
  readonly rounds: number;
  /** The targets that parts a and b request. */
  readonly targets: readonly ('key' | 'server')[];
  /** Connections at a time in part a. */
  readonly connections: readonly (1 | 16 | 64)[];
  /** Length of one load on one subject. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Length of the requests that are made while images are downloaded. */
  readonly probeSeconds: number;
  /** Config changes of one round. */
  readonly changes: number;
  /** Changes before those, which do not count; only where many instances listen. */
  readonly warmUpChanges: number;
  /** Numbers of instances, ascending; each has its own daemon. */
  readonly sizes: readonly [number, ...number[]];
  /** Number of instances for the memory of connections and listeners. */
  readonly memoryInstances: number;
  /** How many instances boot at once. */
  readonly stormInstances: number;
  /** How many instances of the largest daemon listen to events. */
  readonly listeners: readonly number[];
  /** Size of the image that is downloaded. */
  readonly imageMib: number;
  /** Rounds of part n, which takes a few seconds for each attack. */
  readonly neighbourRounds: number;
  /** Rounds of part o. */
  readonly restartRounds: number;
  /** Rounds of part k. */
  readonly crowdRounds: number;
  /** Numbers of adopted instances of part k; each has its own daemon, one after the other. */
  readonly crowdSizes: readonly number[];
  /** Rounds of part f. */
  readonly fleetRounds: number;
  /** Changes of one kind in a round of part f, and before the first round, where they do not count. */
  readonly fleetChanges: number;
  /** Instances of each member of part f, and of the single host beside it. */
  readonly fleetInstances: number;
  /** Instances of the host that joins. */
  readonly joinInstances: number;
  /** How long a member of part f is cut off from etcd. */
  readonly awaySeconds: number;
  /** How often each command of part l runs. */
  readonly commandRounds: number;
  /** How long a daemon of part l rests before its memory is read. */
  readonly restSeconds: number;
  readonly attacks: readonly Attack[];
  /** How long the daemon has to give back the files and memory that the attacks took. */
  readonly aftermathSeconds: number;
  /** Folder with the sources of the measured daemon. */
  readonly checkout: string;
}

const FULL = {
  quick: false,
  rounds: 7,
  targets: ['key', 'server'],
  connections: [1, 16, 64],
  seconds: 1,
  warmUpSeconds: 0.5,
  probeSeconds: 0.5,
  changes: 300,
  warmUpChanges: 200,
  sizes: [10, 100, 1000, 5000],
  memoryInstances: 5000,
  stormInstances: 1000,
  listeners: [1, 100, 5000],
  imageMib: 256,
  neighbourRounds: 3,
  restartRounds: 5,
  crowdRounds: 5,
  crowdSizes: [1000, 10_000],
  fleetRounds: 7,
  fleetChanges: 200,
  fleetInstances: 1000,
  joinInstances: 5000,
  awaySeconds: 60,
  commandRounds: 20,
  restSeconds: 60,
  aftermathSeconds: 60,
} as const;
const QUICK = {
  quick: true,
  rounds: 5,
  targets: ['key'],
  connections: [16],
  seconds: 0.25,
  warmUpSeconds: 0.1,
  probeSeconds: 0.1,
  changes: 60,
  warmUpChanges: 100,
  sizes: [10, 5000],
  memoryInstances: 1000,
  stormInstances: 1000,
  listeners: [1, 100, 5000],
  imageMib: 64,
  neighbourRounds: 1,
  restartRounds: 2,
  crowdRounds: 2,
  crowdSizes: [1000],
  fleetRounds: 5,
  fleetChanges: 60,
  fleetInstances: 100,
  joinInstances: 500,
  awaySeconds: 10,
  commandRounds: 10,
  restSeconds: 10,
  aftermathSeconds: 20,
} as const;

const ROUNDS_MIN = 5;
const ROUNDS_MAX = 100;

/** Length of the longest name of an attack. */
const NAME_CHARACTERS = Math.max(...ATTACKS.map(({ name }) => name.length));

export const HELP = `Usage: npm run bench [-- --quick] [-- --only a,b] [-- --rounds N] [-- --attack x,y] [-- --record]

Measures Porthole beside nginx, node:http and LXD on the same work, on Unix sockets of this machine.
Prints a table and writes bench/results/latest.json.

  --quick         everything small and short: about five minutes, half of it for part n
  --only LIST     some parts only, by their letters; the file of results is left alone then
  --rounds N      rounds of each measurement, at least ${ROUNDS_MIN}; ${FULL.rounds}
  --attack LIST   part n with some of its attacks only
  --checkout DIR  the daemon of another checkout, to compare the two
  --record        also write the tables into docs/performance.md
  --help

${Object.entries(PARTS)
  .map(([letter, title]) => `  ${letter}  ${title}`)
  .join('\n')}

Attacks of part n, and what they do:
${ATTACKS.map(({ name, title }) => `  ${name.padEnd(NAME_CHARACTERS)}  ${title}`).join('\n')}
`;

/** The plan of a command line; null for help. @throws Error that names what is wrong */
export function planOf(args: readonly string[]): Plan | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      attack: { type: 'string' },
      checkout: { type: 'string', default: CHECKOUT },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const sizes = values.quick ? QUICK : FULL;
  return {
    ...sizes,
    parts: partsOf(values.only, values.attack),
    attacks: values.attack === undefined ? ATTACKS : attacksOf(values.attack),
    checkout: checkoutOf(values.checkout),
    record: values.record,
    rounds: values.rounds === undefined ? sizes.rounds : roundsOf(values.rounds),
  };
}

/** Whether it has all parts, so that its results are those of a whole run of this checkout's daemon. */
export function isWhole({ parts, attacks, checkout }: Plan): boolean {
  if (attacks.length < ATTACKS.length || checkout !== resolve(CHECKOUT)) return false;
  return Object.keys(PARTS).every((part) => parts.includes(part as Part));
}

/** The named parts; without names, part n when attacks are named, else all parts. */
function partsOf(list: string | undefined, attack: string | undefined): Part[] {
  if (attack !== undefined && list === undefined) return ['n'];
  if (list === undefined) return Object.keys(PARTS) as Part[];
  const letters = list.split(',');
  const unknown = letters.find((letter) => !(letter in PARTS));
  if (unknown !== undefined) throw new Error(`--only: there is no part "${unknown}"`);
  return letters as Part[];
}

function checkoutOf(folder: string): string {
  if (existsSync(join(folder, 'bin/portholed'))) return resolve(folder);
  throw new Error(`--checkout: ${folder} has no bin/portholed`);
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= ROUNDS_MIN && rounds <= ROUNDS_MAX) return rounds;
  throw new Error(`--rounds: ${ROUNDS_MIN} to ${ROUNDS_MAX}`);
}
