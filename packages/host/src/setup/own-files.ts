import { readText } from './files.ts';

/** The first line of each file that a setup has written; in a script it is the second line. */
export function madeBy(setup: string): string {
  return `# Made by \`porthole setup ${setup}\`; \`porthole setup ${setup} --remove\` removes it.`;
}

/** Whether a text has that line. */
function isMadeBy(setup: string, text: string): boolean {
  return text.split('\n', 2).includes(madeBy(setup));
}

/** @throws Error if the file has a text that the setup has not written */
export async function refuseOverwrite(setup: string, path: string, isOwn = isMadeBy): Promise<void> {
  const text = await readText(path);
  if (text?.trim()) refuseForeign(setup, path, isOwn(setup, text));
}

/** @throws Error if the file exists, even without a text, and the setup has not written it */
export async function refuseRemoval(setup: string, path: string, isOwn = isMadeBy): Promise<void> {
  const text = await readText(path);
  if (text !== null) refuseForeign(setup, path, isOwn(setup, text));
}

function refuseForeign(setup: string, path: string, isOwn: boolean): void {
  if (!isOwn) throw new Error(`${path} was not written by \`porthole setup ${setup}\`; nothing was changed`);
}
