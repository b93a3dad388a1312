import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { CodedError } from '../base/coded-error.ts';
import { answerTo, request as send } from '../base/node-http.ts';
import { hostError } from '../core/host-errors.ts';
import type { Requestor } from '../model/events.ts';
import { endToEnd, headerOf, relayedHeaders } from './relay-headers.ts';

/** Where a request goes, and whose it is. */
export interface Destination {
  readonly member: string;
  readonly agent: Agent;
  readonly by: Requestor;
}

export interface RelayOptions {
  /** The body, if it has been read already. */
  readonly body: Buffer | undefined;
  /** Called when the answer begins, before any of it is sent. */
  readonly begun: (answer: IncomingMessage) => void;
  /** Ends both sides when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * A kept connection may end just when a request is sent on it. Such a request is sent again, if it has no body and changes
 * nothing; each try uses up one kept connection.
 */
const TRIES_MAX = 20;

/**
 * Passes a request on to another member, and its answer back, byte for byte, both as streams.
 * @returns settles when the answer is complete or broken
 * @throws member-offline, member-refused, member-lost, client-gone; then nothing has been answered
 */
export async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  destination: Destination,
  options: RelayOptions,
): Promise<void> {
  // It tells only once that it is closed.
  if (response.destroyed || request.socket.destroyed) throw hostError('client-gone');
  for (let tries = 1; ; tries++) {
    const outgoing = begin(request, destination, options);
    const cut = () => outgoing.destroy();
    // The operator has gone.
    response.once('close', cut);
    try {
      const answer = await answerTo(outgoing);
      options.begun(answer);
      await passBack(answer, response);
      return;
    } catch (error) {
      if (error instanceof CodedError) throw error;
      if (tries < TRIES_MAX && mayTryAgain(request, outgoing, response)) continue;
      throw hostError('member-lost', destination.member);
    } finally {
      response.off('close', cut);
    }
  }
}

function begin(
  request: IncomingMessage,
  { agent, by }: Destination,
  { body, signal }: RelayOptions,
): ClientRequest {
  const { method, url: path, rawHeaders } = request;
  const headers = relayedHeaders(rawHeaders, by);
  const isChunked = headerOf(rawHeaders, 'transfer-encoding') !== undefined;
  const outgoing = send({
    ...{ agent, method, path, signal, setHost: false },
    headers: isChunked && body === undefined ? [...headers, 'Transfer-Encoding', 'chunked'] : headers,
  });
  if (body !== undefined) outgoing.end(body);
  else if (hasBody(request)) request.pipe(outgoing);
  else outgoing.end();
  return outgoing;
}

function hasBody({ rawHeaders }: IncomingMessage): boolean {
  return ['content-length', 'transfer-encoding'].some((name) => headerOf(rawHeaders, name) !== undefined);
}

function mayTryAgain(request: IncomingMessage, outgoing: ClientRequest, response: ServerResponse): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return isRead && !hasBody(request) && outgoing.reusedSocket && !response.destroyed;
}

/** An answer that breaks off is broken off, so that the client does not take it for complete. */
function passBack(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    // Without its text for the status, in which Node reads characters that it does not write.
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.rawHeaders));
    // A log that is followed may have nothing to say yet.
    response.flushHeaders();
    response.once('close', resolve);
    answer.on('error', () => response.destroy());
    answer.once('close', () => {
      if (!answer.complete) response.destroy();
    });
    answer.pipe(response);
  });
}
