import { messageOf } from '../base/coded-error.ts';
import { filterInSlices, mapInSlices } from '../base/slices.ts';
import { hostError } from '../core/host-errors.ts';
import type { InstanceInfo, InstanceLive } from '../instances/requests.ts';
import { parseExec } from '../wire/exec.ts';
import {
  parseInstanceFields,
  parseInstancePatch,
  parseInstanceRename,
  parseNewInstance,
  parseStateRequest,
  parseStatesRequest,
} from '../wire/instance.ts';
import {
  type Answer,
  type Call,
  done,
  type Edge,
  ifMatch,
  locationIn,
  param,
  recursionOf,
  started,
  sync,
  urlOf,
} from './call.ts';
import { instanceCheckOf, instanceEtag, instancePatchCheckOf } from './etag.ts';
import { parseFilter } from './filter.ts';
import { itemsOfOthers, type ListItem, mergedByName } from './fleet-list.ts';
import { changeEverywhere } from './fleet-states.ts';
import { LIVE_STATE_CONCURRENCY } from './host-limits.ts';
import { instanceFullJson, instanceJson, stateJson } from './instance-json.ts';

/**
 * GET /1.0/instances: URLs, objects or objects with live state, by `recursion` 0, 1, 2. An operator gets the instances of
 * all members.
 */
export async function listInstances(edge: Edge, call: Call): Promise<Answer> {
  if (!hasContainers(call.query.get('instance-type') ?? '')) return sync([]);
  const filter = call.query.get('filter') ?? '';
  const passes = parseFilter(filter);
  const { fleet, instances } = edge.backend;
  const location = locationIn(edge.backend);
  const all = instances.list();
  // Only a filter looks at the objects.
  const infos =
    filter === '' ? all : await filterInSlices(all, (info) => passes(instanceJson(info, location)));
  const own = await itemsOf(edge, infos, recursionOf(call));
  if (fleet === null || call.sender !== undefined) return listOf(own, call);
  return listOf(mergedByName(own, await itemsOfOthers(edge, fleet, call, passes)), call);
}

/** A list of instances, which may be thousands: its text is made in slices. */
function listOf(items: readonly ListItem[], call: Call): Answer {
  if (recursionOf(call) === 0) return sync(items.map(({ name }) => urlOf(call.path, name)));
  return { kind: 'list', items: items.map(({ text }) => text) };
}

async function itemsOf(edge: Edge, infos: readonly InstanceInfo[], recursion: number): Promise<ListItem[]> {
  const location = locationIn(edge.backend);
  if (recursion === 0) return infos.map(({ instance }) => ({ name: instance.name, text: '' }));
  const lives = recursion > 1 ? await liveStates(edge, infos) : undefined;
  const json = (info: InstanceInfo, index: number) =>
    lives ? instanceFullJson(info, location, lives[index] ?? null) : instanceJson(info, location);
  return mapInSlices(infos, (info, index) => ({
    name: info.instance.name,
    text: JSON.stringify(json(info, index)),
  }));
}

/** Whether instances of a type can exist here; empty: any. @throws bad-request for an unknown type, with LXD's text */
function hasContainers(type: string): boolean {
  if (type !== '' && type !== 'container' && type !== 'virtual-machine')
    throw hostError('bad-request', 'Invalid instance type');
  return type !== 'virtual-machine';
}

/** An instance that cannot be asked, or is gone by now, has state null: it must not make the list fail. */
async function liveStates({ backend, log }: Edge, infos: readonly InstanceInfo[]) {
  const lives: (InstanceLive | null)[] = [];
  const ask = async ({ instance: { name } }: InstanceInfo) => {
    try {
      return await backend.instances.live(name);
    } catch (error) {
      log.warn({ instance: name, reason: messageOf(error) }, 'live state of an instance is not known');
      return null;
    }
  };
  for (let at = 0; at < infos.length; at += LIVE_STATE_CONCURRENCY) {
    lives.push(...(await Promise.all(infos.slice(at, at + LIVE_STATE_CONCURRENCY).map(ask))));
  }
  return lives;
}

/** POST /1.0/instances. */
export async function createInstance({ backend }: Edge, call: Call): Promise<Answer> {
  return started(backend.instances.create(parseNewInstance(await call.json()), call.by));
}

/** GET /1.0/instances/NAME; recursion adds the live state, an object also for a stopped instance. */
export async function getInstance({ backend }: Edge, call: Call): Promise<Answer> {
  const info = backend.instances.get(param(call, 'name'));
  const etag = instanceEtag(info.instance);
  const location = locationIn(backend);
  if (recursionOf(call) === 0) return sync(instanceJson(info, location), etag);
  const live = await backend.instances.live(info.instance.name);
  return sync(instanceFullJson(info, location, live), etag);
}

/** PUT /1.0/instances/NAME. */
export async function updateInstance({ backend }: Edge, call: Call): Promise<Answer> {
  const name = param(call, 'name');
  const fields = parseInstanceFields(await call.json());
  const check = instanceCheckOf(ifMatch(call), fields.config);
  check(backend.instances.get(name).instance);
  return started(backend.instances.update(name, fields, call.by, check));
}

/** PATCH /1.0/instances/NAME. */
export async function patchInstance({ backend }: Edge, call: Call): Promise<Answer> {
  const name = param(call, 'name');
  const part = parseInstancePatch(await call.json());
  const check = instancePatchCheckOf(ifMatch(call));
  check(backend.instances.get(name).instance);
  await backend.instances.patch(name, part, call.by, check);
  return done();
}

/** POST /1.0/instances/NAME: rename. */
export async function renameInstance({ backend }: Edge, call: Call): Promise<Answer> {
  const to = parseInstanceRename(await call.json());
  return started(backend.instances.rename(param(call, 'name'), to, call.by));
}

/** DELETE /1.0/instances/NAME. */
export function deleteInstance({ backend }: Edge, call: Call): Answer {
  return started(backend.instances.delete(param(call, 'name'), call.by));
}

/** GET /1.0/instances/NAME/state. */
export async function getState({ backend }: Edge, call: Call): Promise<Answer> {
  return sync(stateJson(await backend.instances.live(param(call, 'name'))));
}

/** PUT /1.0/instances/NAME/state. */
export async function setState({ backend }: Edge, call: Call): Promise<Answer> {
  const request = parseStateRequest(await call.json());
  return started(backend.instances.setState(param(call, 'name'), request, call.by));
}

/** PUT /1.0/instances: changes the state of all instances to which the action applies, on all members. */
export async function setStates({ backend }: Edge, call: Call): Promise<Answer> {
  const request = parseStatesRequest(await call.json());
  const own = backend.instances.setStates(request, call.by);
  if (backend.fleet === null || call.sender !== undefined) return started(own);
  return started(changeEverywhere(backend, backend.fleet, { own, request, by: call.by }));
}

/** POST /1.0/instances/NAME/exec. */
export async function execInInstance({ backend, execs }: Edge, call: Call): Promise<Answer> {
  const request = parseExec(await call.json());
  const session = backend.instances.exec(param(call, 'name'), request, call.by);
  execs.add(session, request);
  return started(session.operation);
}
