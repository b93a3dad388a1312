import { messageOf } from '../base/coded-error.ts';
import { mapInSlices } from '../base/slices.ts';
import type { Profile } from '../core/entities.ts';
import { expand } from '../core/expand.ts';
import type { SharedInstance } from '../core/shared.ts';
import type { InstanceInfo } from '../instances/requests.ts';
import { askAll, type Outcome } from './ask-members.ts';
import { type Call, type Edge, recursionOf } from './call.ts';
import type { Filter } from './filter.ts';
import type { FleetCases } from './fleet-cases.ts';
import { LIST_PART_MS, LIVE_LIST_PART_MS } from './host-limits.ts';
import { instanceFullJson, instanceJson } from './instance-json.ts';

/** An instance in a list. */
export interface ListItem {
  readonly name: string;
  /** Its JSON; empty if only names are asked for. */
  readonly text: string;
}

/** The last start of an instance whose member does not answer: only that member knows it. */
const NEVER = '1970-01-01T00:00:00Z';

/** Items in the order of their names. */
export function mergedByName(one: readonly ListItem[], other: readonly ListItem[]): ListItem[] {
  return [...one, ...other].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The instances of all other members, in no order. Names come from memory; for the rest each member is asked. The
 * instances of a member that does not answer in time have the status `Error`.
 */
export async function itemsOfOthers(
  edge: Edge,
  fleet: FleetCases,
  call: Call,
  passes: Filter,
): Promise<ListItem[]> {
  const recursion = recursionOf(call);
  if (recursion === 0 && !call.query.get('filter'))
    return [...fleet.others()].map(({ name }) => ({ name, text: '' }));
  const path = `${call.path}?${call.rawQuery}`;
  const withinMs = recursion > 1 ? LIVE_LIST_PART_MS : LIST_PART_MS;
  const outcomes = await askAll(fleet, { path, by: call.by, withinMs });
  const parts = new Map<string, ListItem[]>();
  for (const outcome of outcomes) {
    const part = await partOf(outcome, recursion);
    if (Array.isArray(part)) parts.set(outcome.member, part);
    else edge.log.warn({ member: outcome.member, reason: part }, 'a member does not list its instances');
  }
  const silent = [...fleet.others()].filter(({ member }) => !parts.has(member));
  return [...[...parts.values()].flat(), ...(await itemsWithError(edge, silent, recursion, passes))];
}

/** @returns why a member's part of the list is missing, if it is */
async function partOf(outcome: Outcome, recursion: number): Promise<ListItem[] | string> {
  if ('failure' in outcome) return outcome.failure;
  const { status, envelope } = outcome.answer;
  if (status !== 200 || !Array.isArray(envelope.metadata)) return envelope.error ?? `status ${status}`;
  try {
    return await mapInSlices<unknown, ListItem>(envelope.metadata, (each) =>
      recursion === 0
        ? { name: nameInUrl(each), text: '' }
        : { name: nameOf(each), text: JSON.stringify(each) },
    );
  } catch (error) {
    return messageOf(error);
  }
}

function nameInUrl(url: unknown): string {
  return decodeURIComponent(String(url).split('/').at(-1) ?? '');
}

function nameOf(json: unknown): string {
  return String((json as { readonly name?: unknown } | null)?.name ?? '');
}

async function itemsWithError(
  { backend }: Edge,
  records: readonly SharedInstance[],
  recursion: number,
  passes: Filter,
): Promise<ListItem[]> {
  const profiles = new Map(backend.profiles.list().map(({ profile }) => [profile.name, profile]));
  const items = await mapInSlices(records, (record) => {
    const info = errorInfo(record, profiles);
    const json =
      recursion > 1 ? instanceFullJson(info, record.member, null) : instanceJson(info, record.member);
    return passes(json) ? [{ name: record.name, text: recursion === 0 ? '' : JSON.stringify(json) }] : [];
  });
  return items.flat();
}

/** What is known of an instance whose member does not answer. */
function errorInfo(
  { member: _, ...record }: SharedInstance,
  profiles: ReadonlyMap<string, Profile>,
): InstanceInfo {
  const known = record.profiles.filter((name) => profiles.has(name));
  const expanded = expand({ ...record, profiles: known }, profiles);
  return {
    instance: { ...record, lastStartedAt: NEVER },
    expandedConfig: expanded.config,
    expandedDevices: expanded.devices,
    status: 'Error',
  };
}
