import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { attachConsole } from '../../client/console.ts';
import { path } from '../../client/host-client.ts';
import { download } from '../../client/transport.ts';
import { consoleKeys } from '../console-keys.ts';
import { addExamples } from '../help.ts';
import { say } from '../io.ts';
import type { Open, Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

const VGA = 'instances have no screen: they are containers';

/** `console`. */
export function addConsole(program: Command, open: Open): void {
  const command = program
    .command('console')
    .summary("attach to an instance's console")
    .description(
      'Attach to the console of an instance, as if a keyboard and a screen were plugged in. Ctrl+a q detaches; ctrl+a ' +
        'twice sends ctrl+a. The instance decides what is there: a login prompt, a shell, or nothing. One at a time can ' +
        'be attached.',
    )
    .argument('<instance>')
    .option('--show-log', 'print what it has printed on its console since its start, byte for byte')
    .addOption(new Option('-t, --type <type>', 'of console').choices(['console', 'vga']).default('console'));
  addExamples(command, [
    ['porthole console c1', 'press Enter for a prompt, ctrl+a q to leave'],
    ['porthole console c1 --show-log', 'what c1 has printed; `porthole logs -f c1` follows it'],
  ]);
  command.action(async (name: string, options: { showLog?: boolean; type: string }) => {
    if (options.type === 'vga') throw new UsageError(VGA);
    const session = open(command);
    await (options.showLog ? showLog(session, name) : attach(session, name));
  });
}

async function showLog({ client, io }: Session, name: string): Promise<void> {
  const url = path`/1.0/instances/${name}/console`;
  const response = await download(client.socketPath, { method: 'GET', path: url });
  if (!io.stdout.isTTY) return pipeline(response, io.stdout, { end: false });
  response.setEncoding('utf8');
  for await (const text of response) say(io.stdout, String(text).replaceAll('\r', ''));
}

async function attach({ client, io }: Session, name: string): Promise<void> {
  if (!io.stdin.isTTY || !io.stdout.isTTY)
    throw new UsageError(
      'A console needs a terminal for input and output; `porthole logs` prints what it has shown',
    );
  let detach = () => {};
  const keys = consoleKeys(() => detach());
  const size = () => ({ width: io.stdout.columns ?? 0, height: io.stdout.rows ?? 0 });
  const attached = await attachConsole(client, name, size(), keys, io.stdout);
  detach = attached.detach;
  say(io.stderr, 'To detach from the console, press: <ctrl>+a q\n');
  const giveBack = io.makeRaw();
  const resize = () => attached.resize(size().width, size().height);
  io.stdout.on('resize', resize);
  io.stdin.pipe(keys);
  try {
    await attached.ended;
  } finally {
    io.stdin.unpipe(keys);
    io.stdin.pause();
    io.stdout.off('resize', resize);
    giveBack();
    say(io.stderr, '\n');
  }
}
