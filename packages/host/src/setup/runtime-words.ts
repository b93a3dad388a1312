import { join } from 'node:path';
import type { Place } from './edits.ts';

/** The name under which other programs know Porthole's runtime. */
export const RUNTIME = 'porthole';

/** The command that starts Porthole's runtime: program and arguments. */
export function runtimeCommand({ bin, stateDir, required }: Place): [program: string, ...args: string[]] {
  const flags = required ? ['--porthole-required'] : [];
  return [join(bin, 'porthole-runtime'), '--porthole-state-dir', stateDir, ...flags];
}

/** A text as one word of a shell. */
export function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
