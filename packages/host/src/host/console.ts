import { rm, truncate } from 'node:fs/promises';
import { parseConsole } from '../wire/console.ts';
import { type Answer, type Call, done, type Edge, param, started } from './call.ts';
import { followed, followsLog, logAnswer } from './logs.ts';

/** POST /1.0/instances/NAME/console: attaches to it. Its output never waits long for a client. */
export async function attachToConsole({ backend, execs }: Edge, call: Call): Promise<Answer> {
  const request = parseConsole(await call.json());
  const session = backend.instances.console(param(call, 'name'), request);
  execs.add(session, { waitForWebsocket: true, interactive: true });
  return started(session.operation);
}

/** GET of the same: what the instance has printed on its console since its start; empty when nothing. */
export async function getConsole(edge: Edge, call: Call): Promise<Answer> {
  const files = edge.backend.instances.consoleFiles(param(call, 'name'), 'retrieved');
  return followsLog(call) ? followed(edge, files) : logAnswer(files);
}

/** DELETE of the same: forgets what it has printed. */
export async function clearConsole({ backend }: Edge, call: Call): Promise<Answer> {
  const [older, newer] = backend.instances.consoleFiles(param(call, 'name'), 'reset');
  await rm(older, { force: true });
  await truncate(newer).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return done();
}
