import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { hostError } from '../core/host-errors.ts';
import { asyncEnvelope, errorEnvelope, listText, operationPath, syncEnvelope } from '../wire/envelope.ts';
import { drain, readJson, readParts } from './body.ts';
import type { Answer, Call, Edge, Handler } from './call.ts';
import { failureOf } from './failures.ts';
import { PATH_PARAMETER_MAX } from './host-limits.ts';
import { operationJson } from './operation-json.ts';
import { answerForProject } from './project.ts';
import { requestorOf } from './requestor.ts';
import { METHODS, type Method, ROUTES, type Route } from './routes.ts';
import { targetOf } from './targets.ts';
import { unservedError } from './unserved.ts';
import { refuse } from './upgrade.ts';

/**
 * Paths of requests about instances. They wait until it is known which instances run, except those that make
 * one.
 */
const OF_INSTANCES = /^\/1\.0\/(instances|containers)/;

/** Makes the HTTP side of the host API from the route table. */
export function createApp(edge: Edge, shouldUpgrade: (url: string) => boolean): FastifyInstance {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    // Requests that come in while the server stops are still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Without these Fastify loads its own compilers for schemas, which takes a third of the time from the
    // start of the program to the socket.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { maxParamLength: PATH_PARAMETER_MAX },
    frameworkErrors: (error, request, reply) => fail(edge, error, request, reply),
    clientErrorHandler: (_error, socket) =>
      refuse(socket, { status: 400, message: 'Malformed HTTP request' }),
    http: {
      shouldUpgradeCallback: ({ headers, url = '' }) =>
        headers.upgrade?.toLowerCase() === 'websocket' && shouldUpgrade(url),
    },
  });
  // Handlers read bodies themselves: uploads are never held in memory, and GET and DELETE have no body.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  void app.register(multipart);
  void app.register(async (api) => {
    for (const row of ROUTES) addRoute(api, edge, row);
  });
  app.setErrorHandler((error, request, reply) => fail(edge, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    return fail(edge, unservedError(request.url) ?? hostError('not-found'), request, reply);
  });
  return app;
}

/** Bodies are checked by `wire`. */
function noSchemas(): never {
  throw new Error('a route of the host API has a schema');
}

function addRoute(app: FastifyInstance, edge: Edge, row: Route): void {
  for (const method of METHODS) {
    const handler = row.methods[method] ?? notImplemented;
    app.route({
      method,
      url: row.path,
      handler: async (request, reply) => {
        if (method === 'GET' || method === 'DELETE') request.raw.resume();
        return send(reply, await answer(edge, row, method, handler, request));
      },
    });
  }
}

function notImplemented(_edge: Edge, { path }: Call): never {
  throw unservedError(path) ?? hostError('not-implemented');
}

async function answer(edge: Edge, row: Route, method: Method, handler: Handler, request: FastifyRequest) {
  const call = callOf(request);
  const { name } = call.params;
  const target = targetOf(edge.backend.fleet, { path: row.path, method, query: call.query }, name);
  if (target !== null && target !== edge.backend.fleet?.own)
    throw hostError('member-offline', target, 'this daemon passes no requests on');
  if (OF_INSTANCES.test(row.path) && (name || method !== 'POST')) await edge.recognised(name);
  return answerForProject(row.otherProject, method, call.query) ?? (await handler(edge, call));
}

function callOf(request: FastifyRequest): Call {
  const [path = '', ...more] = request.url.split('?');
  const rawQuery = more.join('?');
  return {
    path,
    params: request.params as Record<string, string>,
    query: new URLSearchParams(rawQuery),
    rawQuery,
    headers: request.headers,
    by: requestorOf(request.raw),
    json: () => readJson(request.raw),
    body: request.raw,
    parts: () => readParts(request),
  };
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  switch (answer.kind) {
    case 'sync':
      if (answer.etag !== undefined) reply.header('ETag', `"${answer.etag}"`);
      return sendJson(reply.headers(answer.headers ?? {}), 200, syncEnvelope(answer.metadata));
    case 'list':
      return sendText(reply, 200, listText(answer.items));
    case 'created':
      return sendJson(reply.header('Location', answer.location), 201, syncEnvelope(null));
    case 'operation': {
      const operation = operationJson(answer.operation);
      reply.header('Location', operationPath(operation.id));
      return sendJson(reply, 202, asyncEnvelope(operation));
    }
    case 'raw':
      return reply.code(200).headers(answer.headers).send(answer.data);
  }
}

async function fail(
  edge: Edge,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // A client that went away in the middle of its request, or before its answer, is not a failure of the
  // daemon.
  const gone = (request.raw.destroyed && !request.raw.complete) || reply.raw.destroyed;
  const reason = gone ? hostError('client-gone') : error;
  const { status, message } = failureOf(reason, edge.log);
  await drain(request.raw);
  return sendJson(reply, status, errorEnvelope(status, message));
}

function sendJson(reply: FastifyReply, status: number, value: unknown): FastifyReply {
  return sendText(reply, status, JSON.stringify(value));
}

function sendText(reply: FastifyReply, status: number, json: string): FastifyReply {
  // As bytes: to text Fastify would add a charset, which LXD's answers do not have.
  return reply
    .code(status)
    .header('Content-Type', 'application/json')
    .send(Buffer.from(`${json}\n`));
}
