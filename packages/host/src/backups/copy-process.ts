import { fileURLToPath } from 'node:url';
import { Dialogue } from '../process/dialogue.ts';
import type { Copy, Order, Told } from './order.ts';

const PROGRAM = fileURLToPath(new URL('./copy-child.ts', import.meta.url));

/** To find the folder, and to read it or to make a file there. */
const READY_MS_MAX = 15_000;
/** To copy the file: it is kept still for this time at most, at 10 MB/s enough for 600 MB. */
const COPY_MS_MAX = 60_000;
/** To check the copy, and to write it to the disk. */
const CHECK_MS_MAX = 600_000;
const DEAD = 'the disk of the copies does not answer';

/** Called when the program has come to a step; what they throw ends the program. */
export interface Steps {
  /** Before the file is read. */
  readonly ready: () => void;
  readonly copying: (percent: number) => void;
  /** After the file has been read. */
  readonly copied: () => void;
}

/** Runs `copy-child.ts`, with a time limit for each step. */
export class CopyProcess {
  readonly #dialogue: Dialogue;
  readonly #steps: Steps;
  #copies: readonly Copy[] = [];

  constructor(order: Order, steps: Steps) {
    this.#steps = steps;
    this.#dialogue = new Dialogue(PROGRAM, [JSON.stringify(order)], (line) =>
      this.#take(JSON.parse(line) as Told),
    );
    this.#dialogue.limit(READY_MS_MAX, DEAD);
  }

  /** The copies that are there at its end. @throws Error why it has failed */
  get copies(): Promise<readonly Copy[]> {
    return this.#dialogue.end.then(() => this.#copies);
  }

  /** Whether the program still exists: it hangs, if it was given up. */
  get isRunning(): boolean {
    return this.#dialogue.isRunning;
  }

  kill(reason: string): void {
    this.#dialogue.kill(reason);
  }

  #take(told: Told): void {
    if (told.step === 'done') this.#copies = told.copies;
    else if (told.step === 'copying') this.#steps.copying(told.percent);
    else {
      this.#steps[told.step]();
      this.#dialogue.limit(told.step === 'ready' ? COPY_MS_MAX : CHECK_MS_MAX, DEAD);
      this.#dialogue.say('on');
    }
  }
}
