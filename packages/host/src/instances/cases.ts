import { merge } from '../base/merge.ts';
import { isAdopted } from '../core/adopted.ts';
import type { Instance } from '../core/entities.ts';
import { withGuestKeysOf } from '../core/guest-keys.ts';
import { hostError } from '../core/host-errors.ts';
import { checkInstanceName } from '../core/names.ts';
import { afterRename, withTemplates } from '../core/volatile.ts';
import { canonicalArchitecture } from '../images/architectures.ts';
import type { Requestor } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Operation } from '../model/operation.ts';
import type { Precondition } from '../model/precondition.ts';
import type { ConsoleRequest } from '../runtimes/contract/console.ts';
import type { ExecRequest } from '../runtimes/contract/exec.ts';
import { consoleFiles, prepareConsole } from './console.ts';
import { createInstance, type Reserved } from './create.ts';
import { deleteInstance } from './delete.ts';
import { prepareExec } from './exec.ts';
import type { Needs, RunNeeds } from './needs.ts';
import { performPlans } from './perform.ts';
import { planUpdate } from './plan.ts';
import type {
  InstanceCheck,
  InstanceFields,
  InstanceInfo,
  InstanceLive,
  InstancePatch,
  NewInstance,
  StateRequest,
} from './requests.ts';
import { setState } from './state.ts';
import { setStates } from './states.ts';

const LIVE_OF_STOPPED = {
  pid: 0,
  processes: 0,
  cpuUsage: 0,
  memoryUsage: 0,
  memoryPeak: 0,
  diskUsage: null,
  network: null,
} as const;

/** The use cases of operators for instances. */
export function instanceCases(context: RunNeeds & Needs<'adopter' | 'operations' | 'random'>) {
  const { model, running, queue } = context;
  const reserved: Reserved = { names: new Set(), lastId: 0 };
  return {
    list: () => [...model.state.instances.values()].sort(byName).map((instance) => infoOf(context, instance)),
    get: (name: string) => infoOf(context, model.instance(name)),
    live: (name: string) => live(context, model.instance(name)),
    create: (input: NewInstance, by: Requestor) => createInstance(context, reserved, input, by),
    update: (name: string, fields: InstanceFields, _by: Requestor, check?: InstanceCheck) =>
      update(context, model.instance(name), fields, check),
    patch: (name: string, part: InstancePatch, _by: Requestor, check?: Precondition<Instance>) =>
      patch(context, model.instance(name), part, check),
    rename: (name: string, to: string) => rename(context, model.instance(name), to),
    delete(name: string) {
      const { id } = model.instance(name);
      if (running.get(id)?.runtime.owns) throw hostError('is-running');
      return task(context, 'Deleting instance', name, () =>
        queue.run(id, 'delete', () => deleteInstance(context, id)),
      );
    },
    setState: (name: string, request: StateRequest, by: Requestor) =>
      setState(context, model.instance(name), request, by),
    setStates: (request: StateRequest, by: Requestor) => setStates(context, request, by),
    console: (name: string, request: ConsoleRequest) =>
      prepareConsole(context, model.instance(name), request),
    consoleFiles: (name: string, told: 'retrieved' | 'reset') => consoleFiles(context, name, told),
    exec: (name: string, request: ExecRequest) => prepareExec(context, model.instance(name), request),
    log(name: string, by: Requestor) {
      const { id, config } = model.instance(name);
      const path = context.runtimeOf(config).logPath(id);
      if (path === null) throw hostError('file-not-found');
      model.commit([], [lifecycle('instance-log-retrieved', 'instances', name, { by })]);
      return path;
    },
  };
}

const byName = (one: Instance, other: Instance) => (one.name < other.name ? -1 : 1);

function infoOf(context: Needs<'model' | 'reboots' | 'queue' | 'running'>, instance: Instance): InstanceInfo {
  const { config, devices } = context.model.expanded(instance);
  return {
    instance,
    expandedConfig: config,
    expandedDevices: devices,
    status: statusOf(context, instance),
  };
}

/** LXD's status of an instance. It is Ready if it runs and has reported so. */
function statusOf(
  { running, queue, reboots }: Needs<'reboots' | 'queue' | 'running'>,
  instance: Instance,
): InstanceInfo['status'] {
  const run = running.get(instance.id);
  if (run?.frozen) return 'Frozen';
  if (run) return instance.config['volatile.last_state.ready'] === 'true' ? 'Ready' : 'Running';
  const starts = queue.labels(instance.id)[0] === 'start' || reboots.waits(instance.id);
  return starts ? 'Starting' : 'Stopped';
}

async function live(
  context: Needs<'reboots' | 'queue' | 'running'>,
  instance: Instance,
): Promise<InstanceLive> {
  const run = context.running.get(instance.id);
  const facts = run ? await run.runtime.live(run.handle.init) : LIVE_OF_STOPPED;
  return { status: statusOf(context, instance), ...facts };
}

function task(
  context: Needs<'operations'>,
  description: string,
  name: string,
  work: () => Promise<void>,
): Operation {
  return context.operations.run({
    description,
    resources: { instances: [name] },
    work: async () => {
      await work();
      return undefined;
    },
  });
}

function update(
  context: Needs<'guests' | 'log' | 'model' | 'operations' | 'random' | 'queue' | 'running' | 'runtimeOf'>,
  { id, name }: Instance,
  fields: InstanceFields,
  check: InstanceCheck | undefined,
): Operation {
  return task(context, 'Updating instance', name, () =>
    replace(context, id, (current) => {
      const config =
        check?.(current) === 'current' ? withGuestKeysOf(fields.config, current.config) : fields.config;
      checkArchitecture(current, fields.architecture);
      return { ...current, ...fields, config, architecture: current.architecture };
    }),
  );
}

function patch(
  context: Needs<'guests' | 'log' | 'model' | 'random' | 'queue' | 'running' | 'runtimeOf'>,
  { id }: Instance,
  part: InstancePatch,
  check: Precondition<Instance> | undefined,
): Promise<void> {
  return replace(context, id, (current) => {
    check?.(current);
    checkArchitecture(current, part.architecture);
    return patched(current, part);
  });
}

/** @param wanted any name of the architecture, as at the creation; if empty or absent, the current one stays */
function checkArchitecture({ architecture }: Instance, wanted: string | undefined): void {
  if (wanted && canonicalArchitecture(wanted) !== architecture)
    throw hostError('architecture-fixed', architecture);
}

function patched(current: Instance, part: InstancePatch): Instance {
  return {
    ...current,
    ...(part.description === undefined ? {} : { description: part.description }),
    ...(part.ephemeral === undefined ? {} : { ephemeral: part.ephemeral }),
    ...(part.profiles === undefined ? {} : { profiles: part.profiles }),
    config: merge(current.config, part.config),
    devices: merge(current.devices, part.devices),
  };
}

function replace(
  context: Needs<'guests' | 'log' | 'model' | 'random' | 'queue' | 'running' | 'runtimeOf'>,
  id: number,
  make: (current: Instance) => Instance,
): Promise<void> {
  const { model, queue } = context;
  return queue.run(id, 'update', async () => {
    const current = model.current(id);
    const plan = planUpdate(context, current, make(current), model.state.profiles);
    const updated = lifecycle('instance-updated', 'instances', current.name);
    await performPlans(context, [plan], { changes: [], events: [updated] });
  });
}

function rename(
  context: Needs<'model' | 'operations' | 'random' | 'queue' | 'running'>,
  { id, name }: Instance,
  to: string,
): Operation {
  const { model, running, queue, random } = context;
  checkInstanceName(to);
  if (model.hasInstance(to)) throw hostError('name-in-use', to);
  return task(context, 'Renaming instance', name, () =>
    queue.run(id, 'rename', () =>
      model.change(() => {
        if (running.has(id)) throw hostError('rename-running');
        if (model.hasInstance(to)) throw hostError('name-in-use', to);
        const current = model.current(id);
        const config = afterRename(current.config, random);
        // An adopted instance has no files that a template could make.
        const renamed = {
          ...current,
          name: to,
          config: isAdopted(config) ? config : withTemplates(config, 'rename'),
        };
        const told = lifecycle('instance-renamed', 'instances', to, { context: { old_name: name } });
        return { changes: [{ kind: 'put-instance', instance: renamed }], events: [told] };
      }),
    ),
  );
}
