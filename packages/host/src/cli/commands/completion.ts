import type { Command } from 'commander';
import { complete } from '../completion.ts';
import { COMPLETION_SCRIPTS } from '../completion-scripts.ts';
import { addExamples } from '../help.ts';
import type { Open } from '../session.ts';

/** `completion`, and the hidden command that its scripts call. */
export function addCompletion(program: Command, open: Open): void {
  const command = program
    .command('completion')
    .summary('print a script for tab completion')
    .description('Print a script with which a shell completes commands, options and names.')
    .addArgument(program.createArgument('<shell>').choices(Object.keys(COMPLETION_SCRIPTS)));
  addExamples(command, [
    ['source <(porthole completion bash)', 'for this shell'],
    ['porthole completion bash > /etc/bash_completion.d/porthole', 'for all new shells'],
    ['porthole completion zsh > "$fpath[1]/_porthole"', 'for zsh'],
    ['porthole completion fish > ~/.config/fish/completions/porthole.fish', 'for fish'],
  ]);
  command.action((shell: keyof typeof COMPLETION_SCRIPTS) => open(command).print(COMPLETION_SCRIPTS[shell]));

  const hidden = program.command('__complete', { hidden: true }).argument('[words...]');
  hidden.action(async (words: readonly string[]) => {
    const session = open(hidden);
    for (const candidate of await complete(program, words, session.client)) session.print(candidate);
  });
}
