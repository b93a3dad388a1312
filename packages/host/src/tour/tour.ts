import { messageOf } from '../base/coded-error.ts';
import { STEPS, tidyUp } from './steps.ts';
import type { Transcript } from './transcript.ts';

/** Where the tour writes to. */
export interface TourOutput {
  out(text: string): unknown;
  error(text: string): unknown;
}

/** Shows all steps, until one fails. @returns whether each gave the expected result */
export async function takeTour(tour: Transcript, { out, error }: TourOutput): Promise<boolean> {
  const started = performance.now();
  for (const step of STEPS) {
    tour.title(step.title);
    try {
      await step.show(tour);
    } catch (failure) {
      error(`\nThe tour failed at "${step.title}": ${messageOf(failure)}\n`);
      return false;
    }
  }
  await tidyUp(tour);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  out(`\nAll ${STEPS.length} steps of the tour gave what they must, in ${seconds} s.\n`);
  return true;
}
