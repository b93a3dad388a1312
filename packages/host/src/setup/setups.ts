import { cdi } from './cdi.ts';
import { docker } from './docker.ts';
import { lxc } from './lxc.ts';
import { nspawn } from './nspawn.ts';
import { podman } from './podman.ts';
import type { Setup } from './setup.ts';

/** All that `porthole setup` can set up, in the order of its help. */
export const SETUPS: readonly Setup[] = [cdi, docker, podman, lxc, nspawn];
