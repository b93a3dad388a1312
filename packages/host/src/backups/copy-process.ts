import { fileURLToPath } from 'node:url';
import { Dialogue } from '../process/dialogue.ts';
import type { Copy, Order, Told } from './order.ts';

const PROGRAM = fileURLToPath(new URL('./copy-child.ts', import.meta.url));

/** Limit for reading the folder, or for making a file there. */
const READY_MS_MAX = 15_000;
/** Limit for copying the database, which is kept still for this time: at 10 MB/s enough for 600 MB. */
const COPY_MS_MAX = 60_000;
/** Limit for checking the copy, and for the sync to the disk. */
const CHECK_MS_MAX = 600_000;
const DEAD = 'the disk of the copies does not answer';

/** Functions that are called at the steps of the program. An error that one of them throws ends the program. */
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

  /** The copies in the folder when the program ends. @throws Error with the reason of its failure */
  get copies(): Promise<readonly Copy[]> {
    return this.#dialogue.end.then(() => this.#copies);
  }

  /** Whether the program still exists. If it was killed and still exists, it hangs. */
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
