import type { FleetHistory, ObjectRecord } from './history.ts';
import type { ChangeTry, Look, RunRecord } from './record.ts';
import { isUnhurt } from './times.ts';

const ABSENT: ReadonlySet<string> = new Set(['refused', 'cut off']);
const PRESENT: ReadonlySet<string> = new Set(['done', 'not applied yet']);

/** Every acknowledged change is in etcd's history, and none that was refused. */
export function checkChanges({ changes }: RunRecord, history: FleetHistory): string[] {
  return changes.flatMap((change) => {
    const { mark, outcome, object, text } = change;
    const where = `${change.kind} of ${object} at ${change.member} (${mark}, ${change.by})`;
    if (outcome === 'unexpected') return `${where}: an answer that no rule knows: ${text}`;
    const isThere = change.kind === 'put' ? isPut(history, change) : isDeleted(history, object);
    if (PRESENT.has(outcome) && !isThere) return `${where} was acknowledged, and is not in etcd`;
    if (ABSENT.has(outcome) && change.kind === 'put' && isThere)
      return `${where} was refused (${text}), and is in etcd`;
    return [];
  });
}

function isPut(history: FleetHistory, { object, mark }: ChangeTry): boolean {
  return history.states(object).some(({ record }) => record !== null && has(record, mark));
}

const isDeleted = (history: FleetHistory, object: string) =>
  history.states(object).some(({ record }) => record === null);

function has(record: ObjectRecord, mark: string): boolean {
  return record.description === mark || Object.values(record.config).includes(mark);
}

const isMarked = (key: string) => key.startsWith('user.') || key.startsWith('guest.');

/**
 * Nobody has overwritten what another has changed without seeing it. Each value is set once, so a value that comes back
 * was written by somebody who did not know the newer one; and counters, which operators change with If-Match, count.
 */
export function checkOverwriting({ begun, changes }: RunRecord, history: FleetHistory): string[] {
  const marks = new Set(changes.map(({ mark }) => mark));
  const objects = ['profiles', 'instances'].flatMap((folder) =>
    history.names(folder).map((name) => `${folder}/${name}`),
  );
  return objects.flatMap((object) => overwritingOf(object, history, begun, marks));
}

function overwritingOf(
  object: string,
  history: FleetHistory,
  begun: number,
  marks: ReadonlySet<string>,
): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  let before: ObjectRecord | null = null;
  for (const { revision, record } of history.states(object)) {
    const fresh = changedValues(before, record);
    if (revision > begun) {
      for (const [key, value] of fresh) {
        const where = `${object} at revision ${revision}: ${key}`;
        if (seen.has(`${key} ${value}`))
          found.push(`${where} is ${value} again: a newer change was overwritten`);
        else if (!marks.has(value)) found.push(`${where} is ${value}, which nobody has set`);
      }
      const [before0, after0] = [countOf(before), countOf(record)];
      if (record !== null && before !== null && after0 !== before0 && after0 !== before0 + 1)
        found.push(`${object} at revision ${revision}: the counter went from ${before0} to ${after0}`);
      if (record !== null && before !== null && sameCount(before, record))
        found.push(`${object} at revision ${revision}: two have counted to ${after0}`);
    }
    for (const [key, value] of fresh) seen.add(`${key} ${value}`);
    before = record;
  }
  return found;
}

/** What is set newly. */
function changedValues(before: ObjectRecord | null, after: ObjectRecord | null): [string, string][] {
  return Object.entries(after?.config ?? {}).filter(
    ([key, value]) => isMarked(key) && before?.config[key] !== value,
  );
}

const countOf = (record: ObjectRecord | null) => Number.parseInt(record?.config['user.count'] ?? '0', 10);

/** Whether the counter's value is another one with the same number. */
function sameCount(before: ObjectRecord, after: ObjectRecord): boolean {
  const [old, value] = [before.config['user.count'], after.config['user.count']];
  return old !== undefined && value !== undefined && old !== value && countOf(before) === countOf(after);
}

/**
 * The member that has acknowledged a change showed it, or a newer state. So did another member, if no fault reached it:
 * otherwise it may have had no lease.
 */
export function checkLooks({ looks, faults }: RunRecord, history: FleetHistory): string[] {
  return looks.flatMap((look) => {
    if (look.asked !== look.member && !isUnhurt(look, faults)) return [];
    const states = history.states(look.object);
    const made = states.findIndex(({ record }) => record !== null && has(record, look.mark));
    if (made < 0) return [];
    const isNewer = states.slice(made).some(({ record }) => sameShown(record, look.config));
    const where = `${look.member} showed ${look.object} without ${look.mark}, after ${look.asked} had acknowledged it`;
    return isNewer ? [] : [`${where}: ${JSON.stringify(look.config)}`];
  });
}

function sameShown(record: ObjectRecord | null, config: Look['config']): boolean {
  if (record === null || config === null) return record === null && config === null;
  return sameMarks(record.config, config);
}

/** Whether two configs have the same keys that the test sets. */
export function sameMarks(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): boolean {
  const text = (config: Readonly<Record<string, string>>) =>
    JSON.stringify(
      Object.entries(config)
        .filter(([key]) => isMarked(key))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return text(one) === text(other);
}
