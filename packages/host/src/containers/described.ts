import type { Container } from '../core/container.ts';
import type { Looked } from './looks/looked.ts';
import type { Look } from './looks/looks.ts';

/** What an OCI runtime tells a hook on its standard input: the state of the container. */
export interface OciState {
  readonly id: string;
  /** Of the container's first process, on the host; 0 when it has ended. */
  readonly pid: number;
  /** Folder with the container's `config.json`. */
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The parts of a bundle's `config.json` that are used here. */
export interface OciSpec {
  readonly env: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly destination: string; readonly source: string }[];
}

/**
 * A container, and the operator's words about it: `name`, `profiles`, `ephemeral`, `config.KEY`. They come from
 * annotations and labels `dev.porthole.WORD` and from the environment. They never contain what the image itself says,
 * because anyone can make an image.
 */
export interface Described {
  readonly container: Container;
  readonly words: Readonly<Record<string, string>>;
}

/** What describes a container, beside what the hook was told. */
export interface Records {
  readonly spec: OciSpec;
  /** What was found at the paths that the state alone leads to. */
  readonly first: Looked;
  /** Looks at more paths. */
  readonly look: Look;
}

/**
 * Describes a container from the records of one runtime, which only trusted users can write.
 * @returns null if another runtime runs the container
 */
export type Describe = (state: OciState, records: Records) => Promise<Described | null>;
