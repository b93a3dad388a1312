import type { Command } from 'commander';
import { ApiError, OperationError } from '../../client/client-errors.ts';
import { path } from '../../client/host-client.ts';
import type { InstanceJson } from '../../wire/instance.ts';
import { STATUS_CODES } from '../../wire/status.ts';
import { namesOrAll, parseTimeout } from '../arguments.ts';
import { addExamples } from '../help.ts';
import { isStopped } from '../instance-status.ts';
import { sentenceOf } from '../local-errors.ts';
import type { Open, Session } from '../session.ts';

/** The body of a change of state. */
export interface StateChange {
  readonly action: 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze';
  /** Seconds; -1 waits without limit. */
  readonly timeout: number;
  readonly force: boolean;
}

interface StateOptions {
  readonly all?: boolean;
  readonly force?: boolean;
  readonly timeout?: number;
}

/** `start`, `stop`, `restart`, `pause` and `kill`. */
export function addState(program: Command, open: Open): void {
  const start = stateCommand(program, 'start', 'start instances');
  addExamples(start, [['porthole start c1 c2', 'starts two instances; paused ones go on']]);
  start.action(act(open, start, 'start'));

  const stop = stoppingCommand(program, 'stop', 'stop instances');
  addExamples(stop, [
    ['porthole stop c1', 'asks c1 to shut down and waits for it'],
    ['porthole stop c1 --timeout 30', 'gives up after 30 seconds, c1 goes on running'],
    ['porthole stop --all --force', 'stops all instances at once'],
  ]);
  stop.action(act(open, stop, 'stop'));

  const restart = stoppingCommand(program, 'restart', 'restart instances');
  addExamples(restart, [['porthole restart c1 --force', 'without asking it to shut down']]);
  restart.action(act(open, restart, 'restart'));

  const pause = stateCommand(program, 'pause', 'pause instances');
  addExamples(pause, [['porthole pause c1', 'freezes its processes until `porthole start c1`']]);
  pause.action(act(open, pause, 'freeze'));

  const kill = program
    .command('kill')
    .summary('end instances at once')
    .description('End all processes of instances without a shutdown: the same as `stop --force`.')
    .argument('<instances...>');
  addExamples(kill, [['porthole kill c1', 'c1 is stopped; it can be started again']]);
  kill.action((names: readonly string[]) => act(open, kill, 'stop')(names, { force: true }));
}

function stateCommand(program: Command, verb: string, summary: string): Command {
  return program
    .command(verb)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}, several at a time.`)
    .argument('[instances...]')
    .option('--all', 'all instances to which this applies');
}

function stoppingCommand(program: Command, verb: string, summary: string): Command {
  return stateCommand(program, verb, summary)
    .option('-f, --force', 'end their processes without a shutdown')
    .option('--timeout <seconds>', 'seconds to wait for a shutdown; -1: no limit', parseTimeout, -1);
}

function act(open: Open, command: Command, action: StateChange['action']) {
  return async (names: readonly string[], options: StateOptions) => {
    const session = open(command);
    const change = { action, timeout: options.timeout ?? -1, force: options.force === true };
    const chosen = await namesOrAll(names, options.all, () => findAll(session, change));
    const changeOne = action === 'start' ? startOne : changeState;
    await forEachInstance(session, chosen, (name) => changeOne(session, name, change));
  };
}

/** Starts an instance, or lets a paused one go on. */
async function startOne(session: Session, name: string, change: StateChange): Promise<void> {
  const { status_code } = await session.client.get<InstanceJson>(path`/1.0/instances/${name}`);
  const action = status_code === STATUS_CODES.Frozen ? 'unfreeze' : 'start';
  await changeState(session, name, { ...change, action });
}

async function findAll(session: Session, change: StateChange): Promise<readonly string[]> {
  const instances = await session.client.get<readonly InstanceJson[]>('/1.0/instances?recursion=1');
  return instances.filter((instance) => makesSense(change, instance)).map(({ name }) => name);
}

function makesSense({ action, force, timeout }: StateChange, instance: InstanceJson): boolean {
  const isFrozen = instance.status_code === STATUS_CODES.Frozen;
  if (action === 'start') return isStopped(instance) || isFrozen;
  // A frozen instance cannot shut down for a restart. A stop unfreezes it first.
  const mustRun = action === 'freeze' || (action === 'restart' && !force && timeout !== 0);
  return !isStopped(instance) && !(mustRun && isFrozen);
}

/** Starts, stops or restarts one instance and waits for it. */
export async function changeState(session: Session, name: string, change: StateChange): Promise<void> {
  try {
    await session.client.change('PUT', path`/1.0/instances/${name}/state`, {
      json: { ...change, stateful: false },
    });
  } catch (error) {
    // What is refused at once, such as the stop of a stopped instance, has left nothing in the log.
    if (!(error instanceof OperationError)) throw error;
    const hint = `Try \`porthole info --show-log ${name}\` for more info`;
    throw new ApiError(error.status, `${error.message}\n${hint}`);
  }
}

/** Instances that are worked on at the same time; more would only wait for each other in the daemon. */
const PARALLEL_MAX = 8;

/** Does the same for several instances; each failure is printed with the name, and makes the exit code 1. */
export async function forEachInstance(
  session: Session,
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<void> {
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    await work(only);
    session.progress.clear();
    return;
  }
  const waiting = [...names];
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const current = name;
      await work(current).catch((error) => session.complain(`${current}: ${sentenceOf(error)}`));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_MAX }, worker));
  session.progress.clear();
}
