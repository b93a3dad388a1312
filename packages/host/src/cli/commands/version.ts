import type { Command } from 'commander';
import { ownVersion } from '../../base/version.ts';
import { ConnectionError } from '../../client/client-errors.ts';
import type { ServerJson } from '../../wire/server.ts';
import { addExamples } from '../help.ts';
import type { Open, Session } from '../session.ts';

/** `version`. */
export function addVersion(program: Command, open: Open): void {
  const command = program.command('version').description("Print the client's and the daemon's version.");
  addExamples(command, [['porthole version', 'prints "unreachable" when the daemon does not run']]);
  command.action(async () => {
    const session = open(command);
    session.print(`Client version: ${ownVersion()}`);
    session.print(`Server version: ${await serverVersion(session)}`);
  });
}

async function serverVersion(session: Session): Promise<string> {
  try {
    const server = await session.client.get<ServerJson>('/1.0');
    return String(server.porthole?.version ?? server.environment['server_version'] ?? '');
  } catch (error) {
    if (error instanceof ConnectionError) return 'unreachable';
    throw error;
  }
}
