import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TourFailure } from '../transcript.ts';

const HOST = '127.0.0.1';
const READY_MS_MAX = 30_000;
const PAUSE_MS = 50;

/** Three nodes of etcd on this machine. */
export interface EtcdNodes {
  /** Their URLs, separated by commas. */
  readonly endpoints: string;
  /** Ends one at once, as a crash does. */
  kill(number: number): Promise<void>;
  stop(): Promise<void>;
}

/** A node's own place. */
interface Node {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
}

/**
 * Starts three nodes, and waits until they have a leader.
 * @param folder where they keep everything; new nodes are made if there are none
 * @param ports six free ones
 * @throws TourFailure if they do not answer
 */
export async function startEtcdNodes(folder: string, ports: readonly number[]): Promise<EtcdNodes> {
  const nodes = [0, 1, 2].map(
    (each): Node => ({
      name: `etcd-${each + 1}`,
      client: `http://${HOST}:${ports[each]}`,
      peer: `http://${HOST}:${ports[each + 3]}`,
    }),
  );
  const children = nodes.map((node) => startNode(folder, node, nodes));
  const stop = async () => void (await Promise.all(children.map((child) => end(child, 'SIGTERM'))));
  try {
    await Promise.all(nodes.map(isReady));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoints: nodes.map(({ client }) => client).join(','),
    kill: (number) => end(children[number] as ChildProcess, 'SIGKILL'),
    stop,
  };
}

function startNode(folder: string, { name, client, peer }: Node, nodes: readonly Node[]): ChildProcess {
  const flags = {
    name,
    'data-dir': join(folder, name),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': nodes.map((each) => `${each.name}=${each.peer}`).join(','),
    // Without it, the history of a fleet that runs for years fills the disk.
    'auto-compaction-retention': '1h',
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  // Only the tour gets the signal of Ctrl-C, and then stops the node.
  return spawn('etcd', args, { stdio: 'ignore', detached: true });
}

async function isReady({ name, client }: Node): Promise<void> {
  const until = performance.now() + READY_MS_MAX;
  while (performance.now() < until) {
    const healthy = await fetch(`${client}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (healthy) return;
    await sleep(PAUSE_MS);
  }
  throw new TourFailure(`${name} does not answer at ${client}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
