import type { Agent, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerTo, request } from '../base/node-http.ts';
import type { MemberAgents } from './link/member-agents.ts';

/** A longer answer is not that of a member. */
const ANSWER_BYTES_MAX = 4_096;

/** Pause before a member is asked again whose answer has failed: its daemon may restart in place. */
const AGAIN_MS = 100;

/**
 * Asks members whether they have applied a revision. They answer when they have, or after some seconds.
 * @returns a function that rejects if the member cannot be asked, or does not answer in time
 */
export function asksApplied(agents: Pick<MemberAgents, 'of'>) {
  return async (member: string, revision: number, timeoutMs: number): Promise<boolean> => {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const agent = agents.of(member);
      try {
        return await askOnce(agent, revision, signal);
      } catch {
        await sleep(AGAIN_MS, undefined, { signal });
      }
    }
  };
}

async function askOnce(agent: Agent, revision: number, signal: AbortSignal): Promise<boolean> {
  const path = `/fleet/1.0/applied?revision=${revision}`;
  const incoming = await answerTo(request({ agent, path, signal }).end());
  const answer = JSON.parse(await textOf(incoming)) as { metadata?: { applied?: unknown } };
  return answer.metadata?.applied === true;
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) {
    text += chunk;
    if (text.length > ANSWER_BYTES_MAX) throw new Error('the answer is too long');
  }
  return text;
}
