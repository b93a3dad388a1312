import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onCore } from '../frame/cores.ts';
import { Program } from '../frame/programs.ts';
import { until, untilServed } from '../frame/wait.ts';
import type { Peer } from './peer.ts';

const SERVER = fileURLToPath(new URL('./node-http-server.ts', import.meta.url));
const ANYONE = 0o006;

/** A server as a TypeScript daemon would have it without further work. */
export async function startNodeHttp(folder: string, callersOf: number): Promise<Peer> {
  const socket = join(folder, 'node-http.sock');
  const program = new Program(onCore('server', [process.execPath, SERVER, socket]));
  await untilServed(socket, program);
  await until('node:http lets anyone in', async () => ((await stat(socket)).mode & ANYONE) === ANYONE);
  return { name: 'node:http', socket, callersOf, [Symbol.asyncDispose]: () => program.stop() };
}
