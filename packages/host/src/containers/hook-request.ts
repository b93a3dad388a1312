import { own } from '../core/records.ts';
import type { OciState } from './described.ts';
import { ownRecordOfTexts } from './json.ts';

/** The container that a hook or systemd-machined has named. */
export type Subject =
  | ({ readonly of: 'oci' } & OciState)
  | {
      readonly of: 'lxc';
      /** LXC knows a container by the path of its configuration. */
      readonly id: string;
      readonly name: string;
      /** Pid of its init, on the host; 0 when it has ended. */
      readonly pid: number;
    }
  | {
      readonly of: 'nspawn';
      /** The machine's name. */
      readonly id: string;
      /** Pid of its first process, on the host. */
      readonly pid: number;
      /** The path of its settings. */
      readonly settings: string;
    };

/** A request that a hook has left in the folder of hooks. */
export interface HookRequest {
  /** `start`: the first process exists, but does not run its program yet. `end`: it has ended. */
  readonly moment: 'start' | 'end';
  /** Clock ticks from the host's boot to the request. The request does not refer to a process that began later. */
  readonly ticks: bigint;
  readonly bootId: string;
  readonly subject: Subject;
}

/** A running machine that the daemon is to adopt. */
export interface MachineRequest {
  readonly subject: Extract<Subject, { of: 'nspawn' }>;
  /** Its first process began before this many clock ticks after the host's boot. */
  readonly ticks: bigint;
  /** The profiles that ask for it; null if its own settings do, which also mount the guest API. */
  readonly profiles: readonly string[] | null;
}

/** USER_HZ: the unit of start times in /proc/PID/stat, the same on all architectures; proc(5). */
const TICKS_PER_SECOND = 100;

/** The hooks of OCI runtimes and of LXC, by the names that these use. */
const HOOKS: Readonly<Record<string, { moment: HookRequest['moment']; subject: (text: string) => Subject }>> =
  {
    createRuntime: { moment: 'start', subject: ociSubject },
    poststop: { moment: 'end', subject: ociSubject },
    'start-host': { moment: 'start', subject: lxcSubject },
    'post-stop': { moment: 'end', subject: lxcSubject },
  };

/** The last line of a request. */
const END = '\nend\n';

/**
 * Reads a request. Its first three lines are the hook's name, the seconds since the boot, and the boot id. Then comes
 * what the container manager has told the hook, and last a line `end`.
 * @returns null if the hook is still writing it
 * @throws Error that says what is wrong
 */
export function parseHookRequest(text: string): HookRequest | null {
  if (!text.endsWith(END)) return null;
  const [name = '', uptime = '', bootId = '', ...rest] = text.slice(0, -END.length).split('\n');
  const hook = own(HOOKS, name);
  if (hook === undefined) throw new Error(`there is no hook "${name}"`);
  if (!/^\d+\.\d\d /.test(uptime)) throw new Error('the time of the request is missing');
  const ticks = BigInt(Math.round(Number.parseFloat(uptime) * TICKS_PER_SECOND));
  return { moment: hook.moment, ticks, bootId, subject: hook.subject(rest.join('\n')) };
}

/** Reads the state of a container; see "State" in the specification of OCI runtimes. */
function ociSubject(text: string): Subject {
  const { id, pid, bundle, annotations } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') throw new Error('the state has no id');
  if (typeof bundle !== 'string' || !bundle.startsWith('/')) throw new Error('the state has no bundle');
  return {
    of: 'oci',
    id,
    bundle,
    pid: typeof pid === 'number' && Number.isSafeInteger(pid) ? pid : 0,
    annotations: ownRecordOfTexts(annotations),
  };
}

/** Reads three lines: the container's name, the pid and the configuration file. */
function lxcSubject(text: string): Subject {
  const [name = '', pid = '', id = ''] = text.split('\n');
  if (!id.startsWith('/')) throw new Error('the configuration of the container is missing');
  return { of: 'lxc', id, name, pid: /^\d{1,7}$/.test(pid) ? Number(pid) : 0 };
}
