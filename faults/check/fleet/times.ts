import type { ChangeTry, FaultSpan, GuestLog, GuestRead, RunRecord } from './record.ts';

/** After a fault, hosts find each other again within this time. */
const SETTLE_MS = 12_000;

/** A lease is 5 s; the rest is for a machine on which much else runs. */
const PROMPT_MS = 8_000;

/** The daemon knows that it is cut off after the time of its lease, at most. */
const LEASE_MS = 6_000;

/** A node of etcd without the others goes on for a while, and so do leases that it renews. */
const NO_MAJORITY_MS = 10_000;

/** A guest's read is answered from memory. */
const READ_MS = 2_000;

/** The sentence that tells it. */
const CUT_OFF = /^This (member is cut off from the fleet|host is cut off from its fleet): it cannot change /;

/** Faults that take etcd away, and nothing else. */
const CUTS: Readonly<Record<string, number>> = {
  'member cut off from etcd': LEASE_MS,
  'etcd without a majority': NO_MAJORITY_MS,
  'most of etcd killed': NO_MAJORITY_MS,
};

export interface TimesFound {
  readonly found: string[];
  /** How many facts were looked at, by what they are. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Faults hold up nobody whom they do not reach; a member that is cut off says so, and answers its guests. */
export function checkTimes(record: RunRecord): TimesFound {
  const { changes, faults, guests } = record;
  const counts = {
    'prompt changes': 0,
    'refused while cut off': 0,
    'reads while cut off': 0,
    'prompt reads': 0,
  };
  const found: string[] = [];
  for (const change of changes) {
    if (isUnhurt(change, faults)) {
      counts['prompt changes']++;
      found.push(...slowChange(change));
    }
    const cut = cutOf(change, faults);
    if (cut && isOwn(change, guests)) {
      counts['refused while cut off']++;
      if (change.outcome !== 'cut off' || !CUT_OFF.test(change.text))
        found.push(`${describe(change)}: ${change.outcome} (${change.text}) during: ${cut.kind}`);
    }
  }
  for (const guest of guests)
    for (const read of guest.reads) {
      const cut = cutOf({ ...read, member: guest.member }, faults);
      if (cut) counts['reads while cut off']++;
      else if (isUnhurt({ ...read, member: guest.member }, faults)) counts['prompt reads']++;
      else continue;
      if (isBad(read))
        found.push(
          `guest of ${guest.instance}: read ${read.key}: ${read.status} ${read.text} in ${read.end - read.begin} ms, ` +
            (cut ? `during: ${cut.kind}` : 'without a fault'),
        );
    }
  return { found, counts };
}

const isBad = ({ status, begin, end }: GuestRead) =>
  (status !== '200' && status !== '404') || end - begin > READ_MS;

/** A member changes by itself what concerns no other member. */
function isOwn({ object, member }: ChangeTry, guests: readonly GuestLog[]): boolean {
  if (!object.startsWith('instances/')) return true;
  return guests.some((guest) => `instances/${guest.instance}` === object && guest.member === member);
}

function slowChange(change: ChangeTry): string[] {
  if (!change.object.startsWith('profiles/')) return [];
  const tookMs = change.end - change.begin;
  const isAnswered = change.outcome === 'done' || change.outcome === 'refused';
  return tookMs > PROMPT_MS || !isAnswered
    ? [`${describe(change)}: ${change.outcome} (${change.text}) after ${tookMs} ms, with no fault here`]
    : [];
}

const describe = ({ mark, object, member }: ChangeTry) => `${object} at ${member} (${mark})`;

interface During {
  readonly member: string;
  readonly begin: number;
  readonly end: number;
}

/** Whether faults have reached neither the member nor etcd, for a while. */
export function isUnhurt({ member, begin, end }: During, faults: readonly FaultSpan[]): boolean {
  return !faults.some(
    (fault) =>
      fault.begin <= end &&
      fault.end + SETTLE_MS >= begin &&
      fault.hosts.some((host) => host === member || host.startsWith('e')),
  );
}

/** The fault that has taken etcd from a member all the time, while nothing else happened to the member. */
function cutOf({ member, begin, end }: During, faults: readonly FaultSpan[]): FaultSpan | undefined {
  const around = faults.filter(
    (fault) => fault.begin <= end && fault.end + SETTLE_MS >= begin && fault.hosts.includes(member),
  );
  const cut = around.find((fault) => {
    const afterMs = CUTS[fault.kind];
    return afterMs !== undefined && begin >= fault.begin + afterMs && end <= fault.end;
  });
  return cut && around.every((fault) => fault.kind in CUTS) ? cut : undefined;
}
