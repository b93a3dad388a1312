import { parseArgs } from 'node:util';

/** What a soak does, and for how long. */
export interface Plan {
  /** Length of the load. */
  readonly minutes: number;
  /** LXC containers of busybox. */
  readonly containers: number;
  /** Instances adopted from processes in namespaces of their own. */
  readonly adopted: number;
  /** Requests of all guests together, per second. */
  readonly rate: number;
  readonly seed: number;
  /** Where the figures are written, as JSON, with the picture beside them; undefined: nowhere. */
  readonly out: string | undefined;
  /** Also write the committed figures, picture and table. */
  readonly record: boolean;
  /** Only draw the committed picture and table again, from the committed figures. */
  readonly redraw: boolean;
}

/** Each number of the command line: its default, and the range that it may have. */
const NUMBERS = {
  minutes: { default: 30, min: 0.5, max: 1440, whole: false },
  containers: { default: 50, min: 1, max: 500, whole: true },
  adopted: { default: 1000, min: 1, max: 10_000, whole: true },
  rate: { default: 400, min: 1, max: 20_000, whole: true },
  seed: { default: 1, min: 0, max: 2 ** 31 - 1, whole: true },
} as const;

export const HELP = `Usage: npm run soak [-- --minutes N] [-- --containers N] [-- --adopted N] [-- --seed N] [-- --out FILE]

Runs the built form of the daemon under a mixed load for a long time. At the end it checks that the daemon uses no more
than near the beginning. Guests read keys over kept and new connections, follow events and report their state.
Operators change keys and profiles, list instances, run commands, push files, launch and delete. Between one fourth and
one half of the time, the soak restarts the daemon with SIGHUP several times and kills it once. There are no restarts
before and after that, so that the memory can be compared.

  --minutes N     how long the load lasts; ${NUMBERS.minutes.default}
  --containers N  LXC containers; ${NUMBERS.containers.default}
  --adopted N     adopted instances; ${NUMBERS.adopted.default}
  --rate N        requests of all guests together, per second; ${NUMBERS.rate.default}, which keep two cores half busy
  --seed N        the seed of all random choices; ${NUMBERS.seed.default}
  --out FILE      write all figures to FILE as JSON, and the picture beside it as FILE.svg
  --record        write soak/results/latest.json, docs/soak.svg and the table of docs/reliability.md
  --redraw        only draw the picture and the table again, from soak/results/latest.json
  --help

Prints each check with its figure. The exit code is 0 if all checks hold, 1 if one does not, 2 if the soak could not
run, 130 after Ctrl-C. The soak always removes everything that it has made.
`;

/** The plan of a command line; null for help. @throws Error that names what is wrong */
export function planOf(args: readonly string[]): Plan | null {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ minutes: text, containers: text, adopted: text, rate: text, seed: text, out: text },
      record: { type: 'boolean', default: false },
      redraw: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const number = (name: keyof typeof NUMBERS) => numberOf(name, values[name]);
  return {
    minutes: number('minutes'),
    containers: number('containers'),
    adopted: number('adopted'),
    rate: number('rate'),
    seed: number('seed'),
    out: values.out,
    record: values.record,
    redraw: values.redraw,
  };
}

function numberOf(name: keyof typeof NUMBERS, text: string | undefined): number {
  const { min, max, whole, default: otherwise } = NUMBERS[name];
  if (text === undefined) return otherwise;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new Error(`--${name}: ${whole ? 'a whole number' : 'a number'} from ${min} to ${max}`);
}
