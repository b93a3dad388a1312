import type { Caller } from '../core/caller.ts';
import type { GuestView } from '../core/view.ts';
import type { Request } from '../http/application.ts';
import { type GuestReply, type Handler, refuse } from './reply.ts';
import { findRoute, type Route } from './routes.ts';

/** Methods that LXD knows, though not for every path; any other one is "not found". */
const KNOWN_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

type ViewOf = (instanceId: number, runNumber: number) => GuestView | undefined;

/**
 * Decides on a request. The checks are in LXD's order: path, identity, root, method, `security.devlxd`,
 * handler. So every caller learns that a path is unknown, and an unknown caller learns nothing else.
 */
export function decide(caller: Caller, request: Request, viewOf: ViewOf): GuestReply {
  const { head, body } = request;
  const match = findRoute(head.target.path);
  if (match === undefined) return refuse('page-not-found');
  if (caller.kind === 'no-instance') return refuse('no-instance');
  const view = viewOf(caller.instanceId, caller.runNumber);
  // The run is over, so this connection can never be answered again.
  if (view === undefined) return { ...refuse('no-instance'), close: true };
  if (caller.kind === 'not-root') return refuse('not-root');
  const handler = handlerOf(match.route, head.method);
  if (handler === undefined) {
    return KNOWN_METHODS.has(head.method) ? refuse('not-implemented') : refuse('unknown-method', head.method);
  }
  if (!view.devlxd) return { kind: match.route.refusal, code: 'forbidden' };
  return handler(view, { head, body, variable: match.variable });
}

function handlerOf(route: Route, method: string): Handler | undefined {
  if (method === 'GET' || method === 'PATCH' || method === 'PUT' || method === 'DELETE') {
    return route.methods[method];
  }
  return method === 'HEAD' && route.head ? route.methods.GET : undefined;
}
