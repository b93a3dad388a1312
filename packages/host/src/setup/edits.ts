import { join } from 'node:path';
import { isYamlMap } from '../base/yaml-map.ts';

/** What a setup writes about this Porthole. */
export interface Place {
  /** Absolute. */
  readonly stateDir: string;
  /** Folder of Porthole's commands, absolute. */
  readonly bin: string;
  /** If true, containers do not start while the daemon does not run. */
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

/** The runtime runs the first hook when it has made the container, and the second when it has deleted it. */
export const HOOKS = ['createRuntime', 'poststop'] as const;
type HookName = (typeof HOOKS)[number];

const COMMAND = 'oci-hook';

/** How long a runtime waits for a hook. It is more than the longest wait in bin/hook.sh. */
const TIMEOUT_S = 30;

/** Clients can connect to a socket in a read-only mount, and programs inside cannot replace the socket. */
const OPTIONS = ['bind', 'ro', 'nosuid', 'noexec', 'nodev', 'rprivate'];

/** The guest API mount. */
export function mountOf({ stateDir }: Place): Mount {
  return { destination: '/dev/lxd', type: 'bind', source: join(stateDir, 'devlxd'), options: OPTIONS };
}

/** The hook that asks the daemon to adopt a container. */
export function hookOf({ bin, stateDir, required }: Place, name: HookName): Hook {
  const args = ['porthole', COMMAND, name, '--state-dir', stateDir, ...(required ? ['--required'] : [])];
  return { path: join(bin, 'porthole'), args, timeout: TIMEOUT_S };
}

/**
 * The `config.json` of a bundle with the mount and the hooks. If it already has them, they stay as they are.
 * @throws Error if it is not a valid `config.json`
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
