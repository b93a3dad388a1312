import type { Peer } from '../peers/peer.ts';
import type { LoadTools } from './load-tools.ts';

/** How long single requests took. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const NS_PER_MS = 1e6;
const BYTES_PER_GB = 1e9;

/** Requests per second over kept connections, measured with h2load. */
export async function keepAlive(
  tools: LoadTools,
  peer: Peer,
  load: { readonly target: string; readonly connections: number; readonly seconds: number },
): Promise<number> {
  const { target, connections, seconds } = load;
  const args = ['--h1', '-t', '1', '-c', String(connections), '-D', `${Math.round(seconds * 1000)}ms`];
  const uris = [`--base-uri=unix:${peer.socket}`, `http://lxd${target}`];
  const output = await tools.run(peer, 'h2load', ...args, ...uris);
  const rate = /^finished in .*, ([\d.]+) req\/s/m.exec(output)?.[1];
  const lost = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(output)?.slice(1).map(Number);
  const others = /2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output)?.slice(1).map(Number);
  if (!rate || [...(lost ?? [1]), ...(others ?? [1])].some((count) => count > 0))
    throw new Error(`h2load on ${peer.name}: ${output.slice(-OUTPUT_CHARACTERS)}`);
  return Number(rate);
}

const OUTPUT_CHARACTERS = 800;

/** Requests per second with one connection for each request, `connections` of them at a time. */
export async function churn(
  tools: LoadTools,
  peer: Peer,
  load: { readonly target: string; readonly connections: number; readonly seconds: number },
): Promise<number> {
  const args = ['churn', peer.socket, load.target, String(load.connections), String(load.seconds)];
  const { answers, errors, seconds } = parse(await tools.run(peer, 'load', ...args));
  if (errors) throw new Error(`${errors} of ${answers} answers of ${peer.name} were no 200`);
  return (answers as number) / (seconds as number);
}

/** GB per second of a large download over `connections` connections at once. */
export async function drain(
  tools: LoadTools,
  peer: Peer,
  target: string,
  connections: number,
): Promise<number> {
  const args = ['drain', peer.socket, target, String(connections)];
  const { bytes, seconds } = parse(await tools.run(peer, 'load', ...args));
  return (bytes as number) / BYTES_PER_GB / (seconds as number);
}

/** How long requests take, one after the other on one connection. */
export async function probe(tools: LoadTools, peer: Peer, target: string, seconds: number): Promise<Latency> {
  const found = parse(await tools.run(peer, 'load', 'probe', peer.socket, target, String(seconds)));
  return { p50Ms: (found['p50Ns'] as number) / NS_PER_MS, p99Ms: (found['p99Ns'] as number) / NS_PER_MS };
}

function parse(line: string): Record<string, number> {
  return JSON.parse(line) as Record<string, number>;
}
