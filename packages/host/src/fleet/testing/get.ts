import { type Agent, request } from 'node:http';

/** An answer, and whether the connection was an older one. */
export interface Got {
  readonly text: string;
  readonly reused: boolean;
}

/** The answer to a request through an agent. */
export function get(agent: Agent, path = '/x'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, path }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk) => {
        text += chunk;
      });
      incoming.on('error', reject);
      incoming.on('end', () => resolve({ text, reused: outgoing.reusedSocket }));
    });
    outgoing.on('error', reject).end();
  });
}
