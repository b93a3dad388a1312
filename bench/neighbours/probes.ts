import { run } from '../../packages/host/src/process/run.ts';
import { onCore } from '../frame/cores.ts';
import { KEY_TARGET } from '../peers/peer.ts';
import type { Neighbourhood } from './neighbourhood.ts';

/** The results of one kind of request. */
export interface Witnessed {
  /** How many requests there would be if each were answered at once. */
  readonly wanted: number;
  readonly answers: number;
  /** Connects that found the queue full and were tried again. */
  readonly full: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** The results of all kinds, which ask at the same time. */
export interface Noticed {
  readonly kept: Witnessed;
  readonly fresh: Witnessed;
  readonly main: Witnessed;
  /** The longest `porthole config set`, in ms. */
  readonly operatorMs: number;
}

/** How long the probes ask; a shorter time gives too few answers for a p99. */
export const PROBE_SECONDS = 4;
const INTERVAL_MS = 5;
/** Only the main thread answers this request. */
const MAIN_TARGET = '/1.0/events?since=now&limit=1';
/** A change that fails or takes longer than this counts with this time. */
const OPERATOR_PATIENCE_MS = 30_000;
const NS_PER_MS = 1e6;
const MS_PER_S = 1000;

/**
 * Makes all kinds of request at once, each from its own instance, and the operator's changes too.
 * @param socket the server that answers the requests, as instances see it
 */
export async function probe(
  neighbourhood: Neighbourhood,
  socket: string,
  signal: AbortSignal,
): Promise<Noticed> {
  const { witnesses, inside } = neighbourhood;
  await using stack = new AsyncDisposableStack();
  const witness = (who: keyof typeof witnesses, target: string) => {
    const args = [who === 'kept' ? 'kept' : 'fresh', socket, target, `${PROBE_SECONDS}`, `${INTERVAL_MS}`];
    return stack.use(inside(witnesses[who], 'witness', ...args)).result<WitnessLine>();
  };
  const [kept, fresh, main, operatorMs] = await Promise.all([
    witness('kept', KEY_TARGET),
    witness('fresh', KEY_TARGET),
    witness('main', MAIN_TARGET),
    longestChange(neighbourhood, signal),
  ]);
  return { kept: witnessed(kept), fresh: witnessed(fresh), main: witnessed(main), operatorMs };
}

interface WitnessLine {
  readonly wanted: number;
  readonly answers: number;
  readonly full: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
}

function witnessed({ wanted, answers, full, p50Ns, p99Ns }: WitnessLine): Witnessed {
  return { wanted, answers, full, medianMs: p50Ns / NS_PER_MS, p99Ms: p99Ns / NS_PER_MS };
}

/**
 * One `porthole config set` after the other, as an operator would type it: the time includes Node's start.
 */
async function longestChange({ daemon, bystander }: Neighbourhood, signal: AbortSignal): Promise<number> {
  const until = performance.now() + PROBE_SECONDS * MS_PER_S;
  let longest = 0;
  for (let change = 0; performance.now() < until; change++) {
    signal.throwIfAborted();
    const words = daemon.command('config', 'set', bystander.name, `user.change=${change}`);
    const [program, ...args] = onCore('all', words);
    const before = performance.now();
    const { ok } = await run(program, args, { cwd: '/', timeoutMs: OPERATOR_PATIENCE_MS, signal });
    signal.throwIfAborted();
    longest = Math.max(longest, ok ? performance.now() - before : OPERATOR_PATIENCE_MS);
  }
  return longest;
}
