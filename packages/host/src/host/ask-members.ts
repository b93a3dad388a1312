import type { Agent, IncomingMessage } from 'node:http';
import { messageOf } from '../base/coded-error.ts';
import { answerTo, request as send } from '../base/node-http.ts';
import { hostError } from '../core/host-errors.ts';
import type { Requestor } from '../model/events.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { FleetCases } from './fleet-cases.ts';
import { MEMBER_ANSWER_BYTES_MAX } from './host-limits.ts';
import { REQUESTOR_HEADER, requestorHeader } from './requestor.ts';

/** A request that this daemon itself sends to other members. */
export interface Question {
  readonly method?: 'GET' | 'PUT';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly by: Requestor;
  /** How long the answer may take; undefined: as long as the connection holds. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}

/** The answer of a member. */
export interface MemberAnswer {
  readonly status: number;
  readonly envelope: Partial<Envelope>;
}

/** What came of a question to a member: an answer of any status, or the reason why there is none. */
export type Outcome =
  | { readonly member: string; readonly answer: MemberAnswer }
  | { readonly member: string; readonly failure: string };

/** The other members of the fleet that are online. */
export function othersOnline(fleet: FleetCases): string[] {
  return fleet
    .members()
    .filter(({ name, online }) => online && name !== fleet.own)
    .map(({ name }) => name);
}

/** Asks all other members that are online, at the same time. Never throws. */
export function askAll(fleet: FleetCases, question: Question): Promise<Outcome[]> {
  const ask = async (member: string): Promise<Outcome> => {
    try {
      return { member, answer: await askMember(fleet, member, question) };
    } catch (error) {
      return { member, failure: messageOf(error) };
    }
  };
  return Promise.all(othersOnline(fleet).map(ask));
}

/** Asks a member. @throws member-unknown, member-offline, member-refused, member-lost */
export async function askMember(
  fleet: FleetCases,
  member: string,
  question: Question,
): Promise<MemberAnswer> {
  const agent = fleet.agent(member);
  const abort = new AbortController();
  const late = hostError('member-offline', member, 'no answer in time');
  const timer =
    question.withinMs === undefined ? undefined : setTimeout(() => abort.abort(late), question.withinMs);
  const signal = question.signal ? AbortSignal.any([question.signal, abort.signal]) : abort.signal;
  try {
    return await exchange(agent, question, signal);
  } catch (error) {
    throw abort.signal.aborted ? late : known(error, member);
  } finally {
    clearTimeout(timer);
  }
}

function known(error: unknown, member: string): unknown {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('member-') ? error : hostError('member-lost', member);
}

async function exchange(agent: Agent, question: Question, signal: AbortSignal): Promise<MemberAnswer> {
  const { method = 'GET', path, body, by } = question;
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = {
    [REQUESTOR_HEADER]: requestorHeader(by),
    ...(bytes && { 'Content-Type': 'application/json', 'Content-Length': bytes.length }),
  };
  const outgoing = send({ agent, method, path, headers, signal });
  try {
    return await readAnswer(await answerTo(outgoing.end(bytes)));
  } catch (error) {
    outgoing.destroy();
    throw error;
  }
}

async function readAnswer(incoming: IncomingMessage): Promise<MemberAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > MEMBER_ANSWER_BYTES_MAX) throw new Error('too large');
    chunks.push(chunk);
  }
  const envelope: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  if (typeof envelope !== 'object' || envelope === null) throw new Error('no object');
  return { status: incoming.statusCode ?? 0, envelope };
}
