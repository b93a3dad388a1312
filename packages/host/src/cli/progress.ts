import type { SingleBar } from 'cli-progress';
import { printableLine } from '../base/printable.ts';
import type { Output } from './io.ts';
import { formatBytes } from './text.ts';

/** Shows how far long work has come, on a terminal; elsewhere nothing. */
export interface Progress {
  /** False when nothing will ever be shown. */
  readonly shown: boolean;
  /** Replaces the line by a text. */
  readonly text: (text: string) => void;
  /** Prepares a bar of bytes under a title. */
  readonly bytes: (title: string) => Promise<(sent: number, total: number) => void>;
  /** Takes the line away. */
  readonly clear: () => void;
}

type Library = typeof import('cli-progress');

const CLEAR_LINE = '\r\x1b[K';
/** Also of a terminal that does not know its size: it says 0. */
const COLUMNS = 80;

/** @param quiet shows nothing, whatever the output is */
export function createProgress(output: Output, quiet: boolean): Progress {
  if (quiet || output.isTTY !== true) return silent;
  let bar: SingleBar | undefined;
  let dirty = false;
  const clear = () => {
    bar?.stop();
    bar = undefined;
    if (dirty) output.write(CLEAR_LINE);
    dirty = false;
  };
  return {
    shown: true,
    text(text) {
      clear();
      const room = (output.columns || COLUMNS) - 1;
      output.write(CLEAR_LINE + [...printableLine(text)].slice(0, room).join(''));
      dirty = true;
    },
    async bytes(title) {
      const progress = await import('cli-progress');
      return (sent, total) => {
        if (sent >= total) return clear();
        bar ??= startBar(progress, output, printableLine(title), total);
        bar.update(sent);
      };
    },
    clear,
  };
}

function startBar(progress: Library, output: Output, title: string, total: number): SingleBar {
  const bar = new progress.SingleBar({
    stream: output as NodeJS.WriteStream,
    format: '{title} [{bar}] {percentage}% {value} of {total}',
    formatValue: (value, _options, kind) =>
      kind === 'percentage' ? String(value).padStart(3) : formatBytes(value),
    barCompleteChar: '#',
    barIncompleteChar: '-',
    barsize: 30,
    clearOnComplete: true,
    hideCursor: null,
    linewrap: true,
    fps: 10,
  } as ConstructorParameters<Library['SingleBar']>[0]);
  bar.start(total, 0, { title });
  return bar;
}

const silent: Progress = {
  shown: false,
  text: () => {},
  bytes: async () => () => {},
  clear: () => {},
};
