import { dirname } from 'node:path';
import type { Command } from 'commander';
import { addExamples } from '../help.ts';
import { say } from '../io.ts';
import type { Open } from '../session.ts';

/** `tour`. */
export function addTour(program: Command, open: Open): void {
  const command = program
    .command('tour')
    .summary('show what instances can ask their host')
    .description(
      'Show what instances can ask their host, with two instances, first and second, and check each answer. ' +
        'The tour deletes second at its end; first stays. It touches no instance that it has not made. It builds the ' +
        'image busybox if there is none; while an instance downloads the image, the image is public.',
    );
  addExamples(command, [
    ['porthole tour', 'takes half a minute; the exit code is 0 when all is well'],
    ['porthole delete --force first', 'deletes what is left of it'],
  ]);
  command.action(async () => {
    const session = open(command);
    // Without a daemon this fails with a sentence that says that no daemon runs.
    await session.client.get('/1.0');
    const { takeTour } = await import('../../tour/tour.ts');
    const { Transcript } = await import('../../tour/transcript.ts');
    const { stdout, stderr } = session.io;
    const output = { out: (text: string) => say(stdout, text), error: (text: string) => say(stderr, text) };
    const env = { ...session.io.env, PORTHOLE_DIR: dirname(session.client.socketPath) };
    // This program, started as it was started itself.
    const porthole = [process.execPath, ...process.execArgv, process.argv[1] as string] as const;
    const passed = await takeTour(new Transcript(porthole, env, output.out), output);
    if (!passed) session.exit(1);
  });
}
