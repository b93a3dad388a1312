import type { FakeImages } from '../../instances/testing/fake-images.ts';
import type { UploadOptions } from '../../library/requests.ts';
import type { ImageCases } from '../backend.ts';

/** Records uploads as they reach the heart. */
export class UploadNotes {
  readonly cases: ImageCases;
  /** The options of all uploads, in order. */
  readonly options: UploadOptions[] = [];
  readonly received: FakeImages;

  constructor(cases: ImageCases, received: FakeImages) {
    this.received = received;
    const take: ImageCases['import'] = (...args) => {
      this.options.push(args[1]);
      return cases.import(...args);
    };
    this.cases = { ...cases, import: take };
  }
}
