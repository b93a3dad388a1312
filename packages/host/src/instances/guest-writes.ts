import { isTrue } from '../core/booleans.ts';
import type { Change, Instance, Profile } from '../core/entities.ts';
import { expand } from '../core/expand.ts';
import { guestEvents } from '../core/guest-events.ts';
import { GUEST_KEYS_MAX, isGuestKey } from '../core/guest-keys.ts';
import { recordOf } from '../core/records.ts';
import { withReady } from '../core/volatile.ts';
import type { EventDraft } from '../model/event-draft.ts';
import { lifecycle } from '../model/lifecycle.ts';

/** The result of a write: stored, or the code of the guest API's error. */
export type WriteResult = 'stored' | 'forbidden' | 'too-many-keys';

/** The effect of a write on the instance, as the instance is when the write is applied. */
export interface Effect {
  readonly result: WriteResult;
  readonly change?: Extract<Change, { kind: 'put-instance' }>;
  readonly events: readonly EventDraft[];
}

/**
 * Bytes of the config that count as one write. Each write of a key writes the whole record of the instance to etcd, which
 * keeps it in its history for an hour or more.
 */
const SHARED_WRITE_BYTES = 8 * 1024;

/** Configs never change: each is counted once, however often its instance is refused a write. */
const weights = new WeakMap<Instance['config'], number>();

/** How many writes a write of a key counts as, if a fleet shares the record of the instance. */
export function sharedWeight({ config }: Pick<Instance, 'config'>): number {
  const weight = weights.get(config) ?? countWeight(config);
  weights.set(config, weight);
  return weight;
}

function countWeight(config: Instance['config']): number {
  const bytes = Object.entries(config).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  return Math.ceil(bytes / SHARED_WRITE_BYTES);
}

type Profiles = ReadonlyMap<string, Profile>;

const refused = (result: WriteResult): Effect => ({ result, events: [] });

/** The effect of a report on readiness. A repeated report makes an event, but changes nothing. */
export function readyEffect(instance: Instance, ready: boolean): Effect {
  const causedBy = instance.id;
  const events = ready ? [lifecycle('instance-ready', 'instances', instance.name, { causedBy })] : [];
  const said = instance.config['volatile.last_state.ready'];
  if (said !== undefined && isTrue(said, false) === ready) return { result: 'stored', events };
  const next = { ...instance, config: withReady(instance.config, ready) };
  return { result: 'stored', change: { kind: 'put-instance', instance: next }, events };
}

/** The effect of a write of a guest key; null removes the key. @throws Error for any other key */
export function keyEffect(instance: Instance, profiles: Profiles, key: string, value: string | null): Effect {
  if (!isGuestKey(key)) throw new Error(`an instance may not write ${key}`);
  const before = expand(instance, profiles);
  const allowed = (name: string, otherwise: boolean) => isTrue(before.config[name], otherwise);
  // The operator may have forbidden it since the guest API accepted the write.
  if (!allowed('security.devlxd', true) || !allowed('security.devlxd.guest_config', false))
    return refused('forbidden');
  const others = Object.entries(instance.config).filter(([each]) => each !== key);
  const count = others.filter(([each]) => isGuestKey(each)).length;
  // The guest API may have accepted several writes at a time, without knowing of the others.
  if (value !== null && count >= GUEST_KEYS_MAX) return refused('too-many-keys');
  const config = recordOf(value === null ? others : [...others, [key, value] as const]);
  const next = { ...instance, config };
  const changed = guestEvents(before, expand(next, profiles));
  if (changed.length === 0) return { result: 'stored', events: [] };
  const extra = { context: { key }, causedBy: instance.id };
  return {
    result: 'stored',
    change: { kind: 'put-instance', instance: next },
    events: [
      ...changed.map((event) => ({ ...event, instanceId: instance.id })),
      lifecycle('instance-updated', 'instances', instance.name, extra),
    ],
  };
}
