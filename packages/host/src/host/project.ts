import { hostError } from '../core/host-errors.ts';
import { PROJECT } from '../wire/read-only.ts';
import { type Answer, sync } from './call.ts';
import type { Method, OtherProject } from './routes.ts';

/**
 * The answer to a request for a project that does not exist.
 * @returns the answer, or undefined if the request may go on
 * @throws project-not-found
 */
export function answerForProject(
  rule: OtherProject,
  method: Method,
  query: URLSearchParams,
): Answer | undefined {
  const project = query.get('project');
  if (rule === 'same' || !project || project === PROJECT || query.get('all-projects') === 'true') {
    return undefined;
  }
  if (method === 'GET' && rule === 'empty-list') return sync([]);
  if (method === 'GET' && rule === 'empty-map') return sync({});
  throw hostError('project-not-found');
}
