import { Readable } from 'node:stream';
import { BY, type Heart } from '../../packages/host/src/instances/testing/heart.ts';
import type { Rows } from '../check/rows.ts';

/** Notes a request by the events that it makes. @returns a function for its success */
export type Ask = (...tells: readonly string[]) => () => void;

/** Some work of a daemon, at each step of which faults are tried. */
export interface Scenario {
  readonly name: string;
  /** Makes the world in which the work begins. */
  readonly prepare: (heart: Heart) => Promise<void>;
  /** Does the work. Without it, the work is the start of the next daemon. */
  readonly act?: (heart: Heart, ask: Ask) => Promise<void>;
  /** The state, in the store, of the object of the work. */
  readonly state: (rows: Rows) => string;
  /** The state before the work, and the state after an answer with success. */
  readonly from: string;
  readonly to: string;
  /** Further states after work that was interrupted. */
  readonly between?: readonly string[];
  /** Further states after work that was answered with an error. */
  readonly refused?: readonly string[];
  /** For a start of the daemon: the states after it. */
  readonly settles?: readonly string[];
}

/** Does a request, and notes its success. */
export async function asked(ask: Ask, tells: readonly string[], work: () => unknown): Promise<void> {
  const done = ask(...tells);
  await work();
  done();
}

/** An instance by name, with its power; `none` if there is none. */
export function powerIn(rows: Rows, name: string): string {
  const found = rows.instances.find((instance) => instance.name === name);
  return found ? (found.config['volatile.last_state.power'] ?? 'STOPPED') : 'none';
}

/** Creates an instance of an image. */
export async function create(heart: Heart, name: string, part: object = {}): Promise<void> {
  const [image] = heart.machine.images;
  const source = image === undefined ? { type: 'none' } : { type: 'image', fingerprint: image };
  const input = {
    name,
    description: '',
    architecture: '',
    ephemeral: false,
    profiles: null,
    config: {},
    devices: {},
  };
  await heart.done(heart.host.instances.create({ ...input, source, ...part } as never, BY));
}

/** Imports an image of these bytes. */
export async function importImage(heart: Heart, bytes: string): Promise<void> {
  const upload = {
    kind: 'unified',
    filename: 'i.tar.gz',
    data: Readable.from([Buffer.from(bytes)]),
  } as const;
  const options = { public: false, properties: {}, profiles: null, fingerprint: null, size: null };
  await heart.done(await heart.host.images.import(upload, options, BY));
}
