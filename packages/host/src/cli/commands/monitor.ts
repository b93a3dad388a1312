import type { Command } from 'commander';
import { Option } from 'commander';
import { openEvents } from '../../client/events.ts';
import type { EventJson } from '../../wire/event.ts';
import { collectNames } from '../arguments.ts';
import { EVENT_LINES, isLogged, LOG_LEVELS, type LogLevel } from '../event-lines.ts';
import { addExamples } from '../help.ts';
import { isInFleet } from '../location.ts';
import type { Open } from '../session.ts';
import { renderJson, renderYaml } from '../tables.ts';
import { UsageError } from '../usage-error.ts';

type MonitorFormat = 'yaml' | 'json' | 'pretty';

interface MonitorOptions {
  readonly type?: readonly string[];
  readonly since?: string;
  readonly loglevel?: LogLevel;
  readonly pretty?: boolean;
  readonly format: MonitorFormat;
}

/** `monitor`. */
export function addMonitor(program: Command, open: Open): void {
  const command = program
    .command('monitor')
    .summary('monitor the daemon: events as they happen')
    .description('Print events as they happen, until interrupted.')
    .option('--type <type>', 'lifecycle, operation or logging; can be repeated', collectNames)
    .option(
      '--since <position>',
      'begin with the lifecycle events after this sequence number; 0: with all that are kept',
    )
    .addOption(
      new Option('--loglevel <level>', 'lowest level of log messages to show, with --pretty').choices(
        LOG_LEVELS,
      ),
    )
    .option('--pretty', 'one line per event; the same as -f pretty')
    .addOption(
      new Option('-f, --format <format>', 'how to print it')
        .choices(['yaml', 'json', 'pretty'])
        .default('yaml'),
    );
  addExamples(command, [
    ['porthole monitor --pretty', 'all events, one line each'],
    ['porthole monitor --type lifecycle -f json', 'one JSON document per line, for programs'],
    ['porthole monitor --since 0 --pretty', 'past events, then new ones'],
  ]);
  command.action(async (options: MonitorOptions) => {
    const session = open(command);
    const format = options.pretty ? 'pretty' : options.format;
    const { loglevel } = options;
    if (loglevel && format !== 'pretty')
      throw new UsageError('Log level filtering can only be used with pretty formatting');
    const render = RENDERERS[format];
    const events = await openEvents(session.client.socketPath, options.type ?? [], options.since);
    for await (const event of events) {
      if (!loglevel || isLogged(event, loglevel)) session.print(await render(event));
    }
  });
}

const RENDERERS: Readonly<Record<MonitorFormat, (event: EventJson) => string | Promise<string>>> = {
  yaml: async (event) => `${await renderYaml(event)}\n\n`,
  json: (event) => renderJson(event, 0),
  pretty: prettyLine,
};

/** One line for one event, of any type. */
function prettyLine(event: EventJson): string {
  const known = EVENT_LINES[event.type] as ((metadata: EventJson['metadata']) => string) | undefined;
  const text = known ? known(event.metadata) : `${event.type} ${JSON.stringify(event.metadata)}`;
  const member = isInFleet(event) ? `${event.location} ` : '';
  return `${event.timestamp} ${member}${text}`.replaceAll('\n', ' ');
}
