import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Processes, mounts and files that have to do with a folder which should be gone, each as a line. */
export function leftBehind(folder: string): string[] {
  return [
    ...(existsSync(folder) ? [`the folder ${folder}`] : []),
    ...linesWith('/proc/self/mountinfo', folder).map((line) => `a mount: ${line}`),
    ...readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .flatMap((pid) => {
        const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
        return command.includes(folder) ? [`process ${pid}: ${command}`] : [];
      }),
  ];
}

function linesWith(file: string, text: string): string[] {
  return read(file)
    .split('\n')
    .filter((line) => line.includes(text));
}

/** Empty when the process has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
