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
  param,
  recursionOf,
  started,
  sync,
  urlOf,
} from './call.ts';
import { instanceCheckOf, instanceEtag, instancePatchCheckOf } from './etag.ts';
import { parseFilter } from './filter.ts';
import { LIVE_STATE_CONCURRENCY } from './host-limits.ts';
import { instanceFullJson, instanceJson, stateJson } from './instance-json.ts';

/** GET /1.0/instances: URLs, objects or objects with live state, by `recursion` 0, 1, 2. */
export async function listInstances(edge: Edge, call: Call): Promise<Answer> {
  if (!hasContainers(call.query.get('instance-type') ?? '')) return sync([]);
  const filter = call.query.get('filter') ?? '';
  const passes = parseFilter(filter);
  const all = edge.backend.instances.list();
  // Only a filter looks at the objects.
  const infos = filter === '' ? all : await filterInSlices(all, (info) => passes(instanceJson(info)));
  const recursion = recursionOf(call);
  if (recursion === 0) return sync(infos.map((info) => urlOf(call.path, info.instance.name)));
  if (recursion === 1) return listOf(infos, instanceJson);
  const lives = await liveStates(edge, infos);
  return listOf(infos, (info, index) => instanceFullJson(info, lives[index] ?? null));
}

/** A list of instances, which may be thousands: its text is made in slices. */
async function listOf(
  infos: readonly InstanceInfo[],
  json: (info: InstanceInfo, index: number) => object,
): Promise<Answer> {
  return {
    kind: 'list',
    items: await mapInSlices(infos, (info, index) => JSON.stringify(json(info, index))),
  };
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
  if (recursionOf(call) === 0) return sync(instanceJson(info), etag);
  return sync(instanceFullJson(info, await backend.instances.live(info.instance.name)), etag);
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

/** PUT /1.0/instances: changes the state of all instances to which the action applies. */
export async function setStates({ backend }: Edge, call: Call): Promise<Answer> {
  return started(backend.instances.setStates(parseStatesRequest(await call.json()), call.by));
}

/** POST /1.0/instances/NAME/exec. */
export async function execInInstance({ backend, execs }: Edge, call: Call): Promise<Answer> {
  const request = parseExec(await call.json());
  const session = backend.instances.exec(param(call, 'name'), request, call.by);
  execs.add(session, request);
  return started(session.operation);
}
