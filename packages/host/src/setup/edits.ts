import { join } from 'node:path';
import { isYamlMap } from '../base/yaml-map.ts';

/** The Porthole that other programs are told of. */
export interface Place {
  /** Absolute. */
  readonly stateDir: string;
  /** Folder of Porthole's commands, absolute. */
  readonly bin: string;
  /** A container does not start while the daemon does not run. */
  readonly required: boolean;
}

/** A mount, as an OCI runtime reads it. */
export interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** A hook, as an OCI runtime reads it. */
export interface Hook {
  readonly path: string;
  readonly args: readonly string[];
  /** In seconds. */
  readonly timeout: number;
}

/** When the runtime has made the container, and after it has deleted it. */
export const HOOKS = ['createRuntime', 'poststop'] as const;
type HookName = (typeof HOOKS)[number];

const COMMAND = 'oci-hook';

/** A runtime waits for hooks; the daemon answers much faster, or not at all. */
const TIMEOUT_S = 30;

/** Read-only: a client can connect to a socket in it, and nobody inside can put another in its place. */
const OPTIONS = ['bind', 'ro', 'nosuid', 'noexec', 'nodev', 'rprivate'];

/** The guest API mount. */
export function mountOf({ stateDir }: Place): Mount {
  return { destination: '/dev/lxd', type: 'bind', source: join(stateDir, 'devlxd'), options: OPTIONS };
}

/** The hook that tells the daemon of a container. */
export function hookOf({ bin, stateDir, required }: Place, name: HookName): Hook {
  const args = ['porthole', COMMAND, name, '--state-dir', stateDir, ...(required ? ['--required'] : [])];
  return { path: join(bin, 'porthole'), args, timeout: TIMEOUT_S };
}

/**
 * The `config.json` of a bundle with mount and hooks; what it has of them already stays as it is.
 * @throws Error if it is none
 */
export function withEdits(config: unknown, place: Place): Record<string, unknown> {
  if (!isYamlMap(config)) throw new Error('it is not an object');
  const mounts = listIn(config, 'mounts');
  const hooks = config['hooks'] ?? {};
  if (!isYamlMap(hooks)) throw new Error('"hooks" is not an object');
  const mount = mountOf(place);
  const isMounted = mounts.some(
    (each) => isYamlMap(each) && samePlace(each['destination'], mount.destination),
  );
  const added = HOOKS.map((name) => {
    const list = listIn(hooks, name);
    return [name, list.some((each) => isOurs(each, name)) ? list : [...list, hookOf(place, name)]] as const;
  });
  return {
    ...config,
    mounts: isMounted ? mounts : [...mounts, mount],
    hooks: { ...hooks, ...Object.fromEntries(added) },
  };
}

function listIn(object: Readonly<Record<string, unknown>>, key: string): readonly unknown[] {
  const list = object[key] ?? [];
  if (!Array.isArray(list)) throw new Error(`"${key}" is not a list`);
  return list;
}

function samePlace(one: unknown, other: string): boolean {
  return typeof one === 'string' && join('/', one, '/') === join(other, '/');
}

function isOurs(hook: unknown, name: HookName): boolean {
  const args = isYamlMap(hook) && Array.isArray(hook['args']) ? hook['args'] : [];
  return args[1] === COMMAND && args[2] === name;
}
