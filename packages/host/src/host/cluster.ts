import { hostError } from '../core/host-errors.ts';
import {
  type ClusterJson,
  type EnableWish,
  type FleetStateJson,
  type MemberJson,
  type MemberStatus,
  parseClusterChange,
  parseEnable,
} from '../wire/cluster.ts';
import type { HostBackend } from './backend.ts';
import { type Answer, type Call, type Edge, param, recursionOf, started, sync, urlOf } from './call.ts';
import type { FleetCases, FleetMember } from './fleet-cases.ts';

const MEMBERS = '/1.0/cluster/members';

/** GET /1.0/cluster: whether this host is a member of a fleet. */
export function getCluster({ backend }: Edge): Answer {
  const own = backend.fleet?.own ?? '';
  const json: ClusterJson = { server_name: own, enabled: own !== '', member_config: [] };
  return sync(json);
}

/** POST /1.0/cluster (Porthole addition): makes a single host a member. */
export async function enableCluster({ backend }: Edge, call: Call): Promise<Answer> {
  return enable(backend, parseEnable(await call.json()), call);
}

/** PUT /1.0/cluster: the same in LXD's form, or the way back. */
export async function changeCluster({ backend }: Edge, call: Call): Promise<Answer> {
  const wish = parseClusterChange(await call.json());
  return wish ? enable(backend, wish, call) : started(backend.membership.disable(call.by));
}

/** DELETE /1.0/cluster (Porthole addition): makes a member a single host. */
export function disableCluster({ backend }: Edge, call: Call): Answer {
  return started(backend.membership.disable(call.by));
}

/** GET /1.0/cluster/members. */
export function listMembers({ backend }: Edge, call: Call): Answer {
  const fleet = fleetOf(backend);
  const members = fleet.members();
  if (recursionOf(call) === 0) return sync(members.map(({ name }) => urlOf(MEMBERS, name)));
  const counts = instancesOf(backend, fleet);
  return sync(members.map((member) => memberJson(fleet, member, counts)));
}

/** GET /1.0/cluster/members/NAME. */
export function getMember({ backend }: Edge, call: Call): Answer {
  const fleet = fleetOf(backend);
  const name = param(call, 'name');
  const member = fleet.members().find((one) => one.name === name);
  if (!member) throw hostError('member-unknown', name);
  return sync(memberJson(fleet, member, instancesOf(backend, fleet)));
}

/** DELETE /1.0/cluster/members/NAME: removes a member that is offline; `force=1`: also if it has instances. */
export function removeMember({ backend }: Edge, call: Call): Answer {
  const force = call.query.get('force') === '1';
  return started(backend.membership.remove(param(call, 'name'), force, call.by));
}

/** The fleet as GET /1.0 shows it. */
export function fleetStateJson({ fleet, membership }: HostBackend): FleetStateJson {
  const members = fleet?.members() ?? [];
  return {
    member: fleet?.own ?? null,
    members: members.map(({ name }) => name),
    offline: members.filter((one) => fleet && statusOf(fleet, one) === 'Offline').map(({ name }) => name),
    cut_off_since: fleet?.cutOffSince() ?? null,
    notice: membership.notice(),
  };
}

function enable({ membership }: HostBackend, { name, address }: EnableWish, { by }: Call): Answer {
  return started(membership.enable(name, address, by));
}

function fleetOf({ fleet }: HostBackend): FleetCases {
  if (fleet) return fleet;
  throw hostError('not-clustered');
}

/** How many instances each member has. */
function instancesOf({ instances }: HostBackend, fleet: FleetCases): ReadonlyMap<string, number> {
  const counts = new Map([[fleet.own, instances.list().length]]);
  for (const { member } of fleet.others()) counts.set(member, (counts.get(member) ?? 0) + 1);
  return counts;
}

function memberJson(fleet: FleetCases, member: FleetMember, counts: ReadonlyMap<string, number>): MemberJson {
  const { name, address, fingerprint, version, architecture, joinedAt } = member;
  const status = statusOf(fleet, member);
  return {
    server_name: name,
    url: `https://${address}`,
    database: false,
    roles: [],
    failure_domain: 'default',
    description: '',
    config: {},
    groups: [],
    status,
    message: messageOf(fleet, member, status),
    architecture,
    porthole: { address, fingerprint, version, instances: counts.get(name) ?? 0, joined_at: joinedAt },
  };
}

/** A member that is cut off is offline for all members, so also for itself. */
function statusOf(fleet: FleetCases, { name, online, state }: FleetMember): MemberStatus {
  if (!online || (name === fleet.own && fleet.cutOffSince() !== null)) return 'Offline';
  if (state === 'joining') return 'Joining';
  return state === 'leaving' ? 'Leaving' : 'Online';
}

const MESSAGES: Readonly<Record<MemberStatus, string>> = {
  Online: 'Fully operational',
  Offline: 'It has ended, or does not reach etcd',
  Joining: 'It is joining the fleet',
  Leaving: 'It is leaving the fleet',
};

function messageOf(fleet: FleetCases, { name }: FleetMember, status: MemberStatus): string {
  const since = name === fleet.own ? fleet.cutOffSince() : null;
  if (since === null) return MESSAGES[status];
  return `Cut off since ${since}: it answers its instances, and cannot change what members share`;
}
