import type { Command } from 'commander';
import { Option } from 'commander';
import { startLongTimer } from '../../base/long-timer.ts';
import { ApiError, hasStatus } from '../../client/client-errors.ts';
import type { HostClient } from '../../client/host-client.ts';
import { path } from '../../client/host-client.ts';
import type { LifecycleJson } from '../../wire/event.ts';
import type { InstanceJson } from '../../wire/instance.ts';
import { STATUS_CODES } from '../../wire/status.ts';
import { parseTimeout } from '../arguments.ts';
import { addExamples } from '../help.ts';
import { InstanceChanges, untilBack } from '../instance-changes.ts';
import type { Open } from '../session.ts';
import { renderJson, renderYaml } from '../tables.ts';
import { type Condition, parseCondition } from '../wait-conditions.ts';

interface WaitOptions {
  readonly for: string;
  readonly timeout: number;
  readonly format: 'text' | 'json' | 'yaml';
}

const MS_PER_SECOND = 1000;
const NOT_FOUND = 404;

/** `wait`. */
export function addWait(program: Command, open: Open): void {
  const command = program
    .command('wait')
    .summary('wait until an instance is ready, runs, is stopped, or a key has a value')
    .description(
      'Wait until an instance\n' +
        '  ready      has reported that it is ready, to the guest API\n' +
        '  running    runs\n' +
        '  stopped    is stopped; an ephemeral one, which stopping deletes: is gone\n' +
        '  key=value  has that value of a config key, its own or that of a profile; `key=`: the key is not set\n\n' +
        'It returns at once if that is so already, and misses no change. The exit code is 1 when the time is over, and ' +
        'when the instance is deleted. An instance that gets another name is still waited for.',
    )
    .argument('<instance>')
    .requiredOption('--for <condition>', 'ready, running, stopped or key=value')
    .option('--timeout <seconds>', 'seconds to wait; -1: no limit', parseTimeout, -1)
    .addOption(
      new Option('-f, --format <format>', 'print the instance as it is then')
        .choices(['text', 'json', 'yaml'])
        .default('text', 'nothing'),
    );
  addExamples(command, [
    ['porthole wait c1 --for ready --timeout 60', 'until c1 says that it is ready, for a minute at most'],
    ['porthole wait c1 --for guest.state=up && deploy', 'until c1 has set a key of its own'],
    ['porthole stop c1 & porthole wait c1 --for stopped', 'until c1 has stopped'],
  ]);
  command.action(async (name: string, options: WaitOptions) => {
    const condition = parseCondition(options.for);
    const session = open(command);
    const found = await waitFor(session.client, name, condition, options.timeout);
    if (options.format === 'json') session.print(renderJson(found));
    if (options.format === 'yaml') session.print(await renderYaml(found));
  });
}

/** @returns the instance as it was when the condition held */
async function waitFor(
  client: HostClient,
  name: string,
  condition: Condition,
  timeoutSeconds: number,
): Promise<InstanceJson> {
  // Listens before it looks: no change falls in between.
  const changes = await InstanceChanges.open(client.socketPath);
  const cancel =
    timeoutSeconds < 0 ? undefined : startLongTimer(timeoutSeconds * MS_PER_SECOND, () => changes.close());
  const watch = { client, name, condition, seen: undefined };
  try {
    return await follow(watch, changes, timeoutSeconds);
  } finally {
    cancel?.();
    changes.close();
  }
}

interface Watch {
  readonly client: HostClient;
  readonly condition: Condition;
  name: string;
  /** The instance as it was at the last look. */
  seen: InstanceJson | undefined;
}

async function follow(watch: Watch, changes: InstanceChanges, seconds: number): Promise<InstanceJson> {
  const first = await look(watch);
  if (first) return first;
  for await (const change of changes) {
    if (change && !concerns(change, watch)) continue;
    // The daemon may be restarting.
    const found = await untilBack(
      () => look(watch),
      () => changes.closed,
    );
    if (found) return found;
  }
  const instead = watch.seen ? watch.condition.instead(watch.seen) : '';
  throw new ApiError(0, `After ${seconds} second${seconds === 1 ? '' : 's'} ${watch.name} ${instead}`);
}

/** The instance if the condition holds. @throws ApiError when it does not exist, or no longer */
async function look(watch: Watch): Promise<InstanceJson | undefined> {
  const { client, condition, seen } = watch;
  const now = await client
    .get<InstanceJson>(path`/1.0/instances/${watch.name}`)
    .catch((error) => gone(watch, error));
  if (seen && now.created_at !== seen.created_at) return gone(watch, new ApiError(NOT_FOUND, ''));
  watch.seen = now;
  return condition.holds(now) ? now : undefined;
}

function gone({ name, seen, condition }: Watch, error: unknown): InstanceJson {
  if (!seen || !hasStatus(error, NOT_FOUND)) throw error;
  if (condition.byDeletion && seen.ephemeral)
    return { ...seen, status: 'Stopped', status_code: STATUS_CODES.Stopped };
  throw new ApiError(NOT_FOUND, `${name} was deleted meanwhile`);
}

/** Whether an event may have changed what is waited for; it also tells the instance's new name. */
function concerns({ action, source, context }: LifecycleJson, watch: Watch): boolean {
  if (source.startsWith('/1.0/profiles/')) return true;
  if (action === 'instance-renamed' && context?.['old_name'] === watch.name)
    watch.name = decodeURIComponent(source.slice('/1.0/instances/'.length));
  return source === path`/1.0/instances/${watch.name}`;
}
