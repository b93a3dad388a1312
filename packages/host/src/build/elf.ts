import { run } from '../process/run.ts';

/**
 * The shared libraries and the loader that a program of this host needs, as absolute paths; none for a static
 * one. The program must be trusted: `ldd` runs its loader.
 * @throws Error when one is not found
 */
export async function sharedLibraries(program: string): Promise<readonly string[]> {
  const { ok, stdout, stderr, failure } = await run('ldd', [program], { env: { PATH, LC_ALL: 'C' } });
  if (!ok && /not a dynamic executable/.test(stdout + stderr)) return [];
  if (!ok) throw new Error(failure);
  const lines = stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.flatMap((line) => libraryOf(line, program));
}

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * `NAME => PATH (ADDRESS)`, `PATH (ADDRESS)` for the loader, and `NAME (ADDRESS)` for what the kernel
 * provides.
 */
function libraryOf(line: string, program: string): readonly string[] {
  if (line.endsWith('=> not found'))
    throw new Error(`${program} needs ${line.split(' ')[0]}, which is not there`);
  const path = /(?:^|=> )(\/\S+) \(0x[0-9a-f]+\)$/.exec(line)?.[1];
  return path ? [path] : [];
}
