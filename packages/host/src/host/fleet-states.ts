import { messageOf } from '../base/coded-error.ts';
import { hostError } from '../core/host-errors.ts';
import type { StateRequest } from '../instances/requests.ts';
import type { Requestor } from '../model/events.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationJson } from '../wire/operation.ts';
import { askMember, othersOnline } from './ask-members.ts';
import type { HostBackend } from './backend.ts';
import type { FleetCases } from './fleet-cases.ts';

interface StatesChange {
  /** The operation of the own member. */
  readonly own: Operation;
  readonly request: Omit<StateRequest, 'pid'>;
  readonly by: Requestor;
}

/**
 * Changes the state of the instances of all members that are online, in one operation. If some fail, the others still
 * change, and the operation fails with the names of those that failed.
 */
export function changeEverywhere(backend: HostBackend, fleet: FleetCases, change: StatesChange): Operation {
  const { own } = change;
  return backend.operations.run({
    description: own.description,
    resources: own.resources,
    work: async ({ signal }) => {
      const others = othersOnline(fleet).map((member) => changeOf(fleet, member, change, signal));
      const here = backend.operations.wait(own.id, -1).then(({ err }) => linesOf(err));
      const failures = (await Promise.all([here, ...others])).flat();
      if (failures.length > 0) throw hostError('some-failed', `\n${failures.join('\n')}\n`);
      return undefined;
    },
  });
}

/** The change of another member. @returns a line for each failure */
async function changeOf(
  fleet: FleetCases,
  member: string,
  { request, by }: StatesChange,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const body = { state: request };
    const begun = await askMember(fleet, member, { method: 'PUT', path: '/1.0/instances', body, by, signal });
    if (begun.status !== 202) throw new Error(begun.envelope.error);
    const path = `${begun.envelope.operation}/wait`;
    const { envelope } = await askMember(fleet, member, { path, by, signal });
    const ended = envelope.metadata as Partial<OperationJson> | null;
    return linesOf(ended?.err ?? envelope.error ?? '');
  } catch (error) {
    return [` - Member: ${member}: ${messageOf(error)}`];
  }
}

/** The lines of an error that has one for each instance; any other error is one line. */
function linesOf(err: string): string[] {
  if (err === '') return [];
  const lines = err.split('\n').filter((line) => line.startsWith(' - '));
  return lines.length > 0 ? lines : [` - ${err}`];
}
