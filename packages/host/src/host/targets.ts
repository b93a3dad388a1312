import { hostError } from '../core/host-errors.ts';
import type { FleetCases } from './fleet-cases.ts';
import type { Method } from './routes.ts';

/**
 * What a target means. `own-facts`: the target answers, with facts about its own host. `placement`: the target makes an
 * instance. `instance`: the member of the instance answers, and the target must be that member. `shared`: any member
 * answers, and a change must not have a target. `any`: any member answers.
 */
type Rule = 'own-facts' | 'placement' | 'instance' | 'shared' | 'any';

const RULES: readonly (readonly [path: RegExp, rule: Rule])[] = [
  [/^\/1\.0$/, 'own-facts'],
  [/^\/1\.0\/(networks|storage-pools|backups)/, 'own-facts'],
  [/^\/1\.0\/(instances|containers)$/, 'placement'],
  [/^\/1\.0\/(instances|containers)\//, 'instance'],
  [/^\/1\.0\/(operations|events)/, 'any'],
];

/**
 * What a request means that has `target`, the name of a member. LXD's client adds it to every request of a command with
 * `--target`, so it is ignored where all members give the same answer.
 * @param path of the route
 * @param instance the name of the instance that the path names
 * @returns the member that answers; null if any member can
 * @throws not-clustered, member-unknown; target-elsewhere and target-refused for a change that would be made elsewhere
 */
export function targetOf(
  fleet: FleetCases | null,
  {
    path,
    method,
    query,
  }: { readonly path: string; readonly method: Method; readonly query: URLSearchParams },
  instance: string | undefined,
): string | null {
  const target = query.get('target');
  if (!target) return null;
  if (!fleet) throw hostError('not-clustered');
  if (!fleet.members().some(({ name }) => name === target)) throw hostError('member-unknown', target);
  const rule = RULES.find(([pattern]) => pattern.test(path))?.[1] ?? 'shared';
  if (rule === 'own-facts' || (rule === 'placement' && method === 'POST')) return target;
  if (rule === 'any' || method === 'GET' || method === 'HEAD') return null;
  if (rule !== 'instance') throw hostError('target-refused');
  refuseElsewhere(fleet, instance ?? '', target);
  return null;
}

/** An instance that no member has is for the handler to refuse. */
function refuseElsewhere(fleet: FleetCases, instance: string, target: string): void {
  const member = fleet.memberOf(instance);
  if (member !== null && member !== target) throw hostError('target-elsewhere', instance, member);
}
