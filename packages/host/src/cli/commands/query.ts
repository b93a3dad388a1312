import type { Command } from 'commander';
import { requireSuccess } from '../../client/operations.ts';
import { call } from '../../client/transport.ts';
import { addExamples } from '../help.ts';
import type { Open } from '../session.ts';
import { renderJson } from '../tables.ts';
import { UsageError } from '../usage-error.ts';

interface QueryOptions {
  readonly request: string;
  readonly data?: string;
  readonly wait?: boolean;
  readonly raw?: boolean;
}

/** `query`. */
export function addQuery(program: Command, open: Open): void {
  const command = program
    .command('query')
    .summary('send a raw query to the host API')
    .description('Send one request to the host API and print the metadata of the answer as JSON.')
    .argument('<path>', 'such as /1.0/instances')
    .option('-X, --request <method>', 'method', 'GET')
    .option('-d, --data <json>', 'body')
    .option('--wait', 'wait until the operation has ended')
    .option('--raw', 'print the whole answer, not only its metadata');
  addExamples(command, [
    ['porthole query /1.0/instances/c1', 'an instance as the API shows it'],
    [`porthole query -X PATCH -d '{"cached":true}' /1.0/images/0f3c`, 'marks an image as cached'],
  ]);
  command.action(async (url: string, options: QueryOptions) => {
    const session = open(command);
    if (!url.startsWith('/')) throw new UsageError('The path must begin with /');
    const body = options.data === undefined ? {} : { json: parseJson(options.data) };
    const reply = await call(session.client.socketPath, { method: options.request, path: url, ...body });
    if (reply.operation && options.wait) {
      const metadata = requireSuccess(await session.client.wait(reply.operation));
      return session.print(renderJson(options.raw ? { ...reply.envelope, metadata } : metadata));
    }
    session.print(renderJson(options.raw ? reply.envelope : reply.metadata));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`The data is not JSON: ${(error as Error).message}`);
  }
}
