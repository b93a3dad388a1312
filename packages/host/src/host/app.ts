import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { SLICE } from '../base/slices.ts';
import { collectingUnconfirmed } from '../base/unconfirmed.ts';
import { hostError } from '../core/host-errors.ts';
import { asyncEnvelope, errorEnvelope, listText, operationPath, syncEnvelope } from '../wire/envelope.ts';
import { parseJson } from '../wire/parse.ts';
import { BodyOnce, drain, readParts } from './body.ts';
import { type Answer, type Call, type Edge, type Handler, locationIn } from './call.ts';
import { memberWith, unlessOwn } from './elsewhere.ts';
import { failureOf } from './failures.ts';
import { PATH_PARAMETER_MAX } from './host-limits.ts';
import { operationJson } from './operation-json.ts';
import { placeOf } from './placement.ts';
import { answerForProject } from './project.ts';
import { relay } from './relay.ts';
import { requestorOf, senderOf } from './requestor.ts';
import { FLEET_ROUTES, METHODS, type Method, ROUTES, type Route } from './routes.ts';
import { targetOf } from './targets.ts';
import { unservedError } from './unserved.ts';
import { refuse } from './upgrade.ts';

/**
 * Paths of requests about instances. They wait until it is known which instances run, except those that make
 * one.
 */
const OF_INSTANCES = /^\/1\.0\/(instances|containers)/;
const OF_ALL_INSTANCES = /^\/1\.0\/(instances|containers)$/;

/** Ends each answer, as in LXD. */
const LINE_END = '\n';

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
    for (const row of [...ROUTES, ...FLEET_ROUTES]) addRoute(api, edge, row);
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
        const call = callOf(request);
        const member = await memberFor(edge, row, method, call);
        if (member !== null) return passOn(edge, member, call, request, reply);
        if (method === 'GET' || method === 'DELETE') request.raw.resume();
        const work = () => answer(edge, row, method, handler, call);
        if (edge.backend.fleet === null) return send(reply, await work(), edge, []);
        const { result, unconfirmed } = await collectingUnconfirmed(work);
        return send(reply, result, edge, unconfirmed);
      },
    });
  }
}

function notImplemented(_edge: Edge, { path }: Call): never {
  throw unservedError(path) ?? hostError('not-implemented');
}

async function answer(edge: Edge, row: Route, method: Method, handler: Handler, call: Call) {
  const { name } = call.params;
  if (OF_INSTANCES.test(row.path) && (name || method !== 'POST')) await edge.recognised(name);
  return answerForProject(row.otherProject, method, call.query) ?? (await handler(edge, call));
}

/** The other member that answers a request; null if this daemon does. On a single host that is one check. */
function memberFor(edge: Edge, row: Route, method: Method, call: Call): null | Promise<string | null> {
  const { fleet } = edge.backend;
  const target = targetOf(fleet, { path: row.path, method, query: call.query }, call.params['name']);
  if (fleet === null || call.sender !== undefined) return null;
  if (target !== null) return Promise.resolve(unlessOwn(fleet, target));
  if (method === 'POST' && OF_ALL_INSTANCES.test(row.path)) return placeOf(fleet, call);
  return memberWith(edge, fleet, { path: row.path, params: call.params, by: call.by });
}

/** Passes a request on. Until the other member answers, a failure is answered here. */
async function passOn(
  edge: Edge,
  member: string,
  { by, bytes }: Call,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const agent = edge.backend.fleet?.agent(member);
  if (!agent) throw hostError('member-unknown', member);
  await edge.forwards.run((signal) =>
    relay(
      request.raw,
      reply.raw,
      { member, agent, by },
      {
        ...{ body: bytes(), signal },
        begun(head) {
          edge.forwards.note(member, head);
          reply.hijack();
        },
      },
    ),
  );
  return reply;
}

function callOf(request: FastifyRequest): Call {
  const [path = '', ...more] = request.url.split('?');
  const rawQuery = more.join('?');
  const body = new BodyOnce(request.raw);
  return {
    path,
    params: request.params as Record<string, string>,
    query: new URLSearchParams(rawQuery),
    rawQuery,
    headers: request.headers,
    by: requestorOf(request.raw),
    sender: senderOf(request.raw),
    json: async () => parseJson((await body.read()).toString('utf8')),
    bytes: () => body.taken,
    body: request.raw,
    parts: () => readParts(request),
  };
}

/** @param unconfirmed members of the fleet that have not confirmed the change in time */
function send(
  reply: FastifyReply,
  answer: Answer,
  { backend }: Edge,
  unconfirmed: readonly string[],
): FastifyReply {
  switch (answer.kind) {
    case 'sync':
      if (answer.etag !== undefined) reply.header('ETag', `"${answer.etag}"`);
      return sendJson(reply.headers(answer.headers ?? {}), 200, syncEnvelope(answer.metadata, unconfirmed));
    case 'list':
      return sendList(reply, answer.items);
    case 'created':
      return sendJson(reply.header('Location', answer.location), 201, syncEnvelope(null, unconfirmed));
    case 'operation': {
      const operation = operationJson(answer.operation, locationIn(backend));
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

/** Sends a long list piece by piece, as the client takes it: the whole may have many megabytes. */
function sendList(reply: FastifyReply, items: readonly string[]): FastifyReply {
  const { bytes, pieces } = listText(items);
  // A stream takes a quarter of a millisecond longer.
  if (items.length <= SLICE) return sendText(reply, 200, [...pieces].join(''));
  return reply
    .code(200)
    .headers({ 'Content-Type': 'application/json', 'Content-Length': bytes + LINE_END.length })
    .send(Readable.from(buffersOf(pieces), { objectMode: false }));
}

function* buffersOf(pieces: Iterable<string>): Generator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece);
  yield Buffer.from(LINE_END);
}

function sendText(reply: FastifyReply, status: number, json: string): FastifyReply {
  // As bytes: to text Fastify would add a charset, which LXD's answers do not have.
  return reply
    .code(status)
    .header('Content-Type', 'application/json')
    .send(Buffer.from(json + LINE_END));
}
