import { StringDecoder } from 'node:string_decoder';
import type { Command } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import { path } from '../../client/host-client.ts';
import { download } from '../../client/transport.ts';
import { addExamples } from '../help.ts';
import { give } from '../io.ts';
import type { Open } from '../session.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly runtime?: boolean;
}

/** `logs`. */
export function addLogs(program: Command, open: Open): void {
  const command = program
    .command('logs')
    .summary('show what an instance prints on its console')
    .description(
      'Print what an instance has printed on its console since its start: the messages of its boot, for example. The ' +
        'last 128 KiB at least are kept, also while it is stopped. With --runtime: why LXC could not start it.',
    )
    .argument('<instance>')
    .option('-f, --follow', 'go on with what is added, also after a restart of the instance')
    .option('--runtime', "the runtime's log of the instance instead");
  addExamples(command, [
    ['porthole logs c1', 'what c1 has printed'],
    ['porthole logs -f c1', 'and what it prints from now on, until ctrl+c'],
    ['porthole logs --runtime c1', 'why c1 did not start'],
  ]);
  command.action(async (name: string, options: LogsOptions) => {
    const session = open(command);
    const url = options.runtime
      ? path`/1.0/instances/${name}/logs/lxc.log`
      : path`/1.0/instances/${name}/console`;
    const response = await download(session.client.socketPath, {
      method: 'GET',
      path: options.follow ? `${url}?follow=1` : url,
    });
    const decoder = new StringDecoder('utf8');
    for await (const chunk of response as AsyncIterable<Buffer>)
      give(session.io.stdout, plainLines(decoder.write(chunk)));
    if (!options.follow) return;
    const exists = await session.client.get(path`/1.0/instances/${name}`).then(
      () => true,
      () => false,
    );
    if (exists) throw new ApiError(0, 'The daemon ended the log');
  });
}

/** Terminals end lines with carriage return and line feed. */
function plainLines(text: string): string {
  return text.replaceAll('\r', '');
}
