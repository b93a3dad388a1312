import type { OciState } from './described.ts';
import { ownRecordOfTexts } from './json.ts';

/** What a hook asks of the daemon. */
export type HookKind = 'createRuntime' | 'poststop';

/** A request that a hook has left in the folder of hooks. */
export interface HookRequest {
  readonly kind: HookKind;
  /** Clock ticks between the host's boot and the request: a process that began later is not the one it means. */
  readonly ticks: bigint;
  readonly bootId: string;
  readonly state: OciState;
}

/** USER_HZ: the unit of start times in /proc/PID/stat, the same on all architectures; proc(5). */
const TICKS_PER_SECOND = 100;

const KINDS: readonly HookKind[] = ['createRuntime', 'poststop'];

/** The last line of a request. */
const END = '\nend\n';

/**
 * Reads a request: a line with its kind, one with seconds since the boot, one with the boot id, the state of the
 * container as JSON, as the OCI runtime gave it to the hook, and a line `end`.
 * @returns null if the hook is still writing it
 * @throws Error that says what is wrong
 */
export function parseHookRequest(text: string): HookRequest | null {
  if (!text.endsWith(END)) return null;
  const [kind, uptime = '', bootId = '', ...rest] = text.slice(0, -END.length).split('\n');
  const known = KINDS.find((each) => each === kind);
  if (known === undefined) throw new Error(`there is no hook "${kind}"`);
  if (!/^\d+\.\d\d /.test(uptime)) throw new Error('the time of the request is missing');
  const ticks = BigInt(Math.round(Number.parseFloat(uptime) * TICKS_PER_SECOND));
  return { kind: known, ticks, bootId, state: stateOf(JSON.parse(rest.join('\n'))) };
}

/** The state of a container, by the specification of OCI runtimes ("State"). */
function stateOf(json: unknown): OciState {
  const { id, pid, bundle, annotations } = (json ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') throw new Error('the state has no id');
  if (typeof bundle !== 'string' || !bundle.startsWith('/')) throw new Error('the state has no bundle');
  return {
    id,
    bundle,
    pid: typeof pid === 'number' && Number.isSafeInteger(pid) ? pid : 0,
    annotations: ownRecordOfTexts(annotations),
  };
}
