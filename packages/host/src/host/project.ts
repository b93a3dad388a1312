import { isTrue } from '../core/booleans.ts';
import { hostError } from '../core/host-errors.ts';
import { PROJECT } from '../wire/read-only.ts';
import { type Answer, sync } from './call.ts';
import type { Method, OtherProject } from './routes.ts';

/**
 * The answer to a request for a project that does not exist.
 * @returns the answer, or undefined if the request may go on
 * @throws project-not-found; bad-request if a list of instances is to be of one project and of all
 */
export function answerForProject(
  rule: OtherProject,
  method: Method,
  query: URLSearchParams,
): Answer | undefined {
  const project = query.get('project');
  if (rule === 'same' || !project) return undefined;
  const isOfAll = method === 'GET' && isTrue(query.get('all-projects') ?? undefined, false);
  if (isOfAll && rule === 'empty-list') {
    throw hostError('bad-request', 'Cannot specify a project when requesting all projects');
  }
  if (project === PROJECT || (isOfAll && rule === 'empty-map')) return undefined;
  if (method === 'GET' && rule === 'empty-list') return sync([]);
  if (method === 'GET' && rule === 'empty-map') return sync({});
  throw hostError('project-not-found');
}
