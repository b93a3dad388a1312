import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { silentLog } from '../../base/log.ts';
import { type Identity, openIdentity } from '../link/identity.ts';
import { LinkServer } from '../link/link-server.ts';
import { MemberAgents } from '../link/member-agents.ts';

/** A member of a fleet in this process, with a real link. */
export interface LinkedMember {
  readonly name: string;
  readonly identity: Identity;
  readonly server: LinkServer;
  readonly agents: MemberAgents;
  readonly port: number;
  /** Takes connections of others; by default a small HTTP server that tells who asks for what. */
  serve: (socket: TLSSocket, member: string) => void;
}

/** Members that know each other, on loopback. */
export class LinkWorld {
  readonly members = new Map<string, LinkedMember>();
  /** What the fleet knows of its members. A test changes it, and calls `recheck`. */
  readonly known = new Map<string, { name: string; address: string; fingerprint: string }>();
  readonly #folder: string;
  readonly #plain: Server[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(...names: readonly string[]): Promise<LinkWorld> {
    const world = new LinkWorld(await mkdtemp('/var/tmp/porthole-link-'));
    for (const name of names) await world.add(name);
    return world;
  }

  /** A certificate that no member has. */
  stranger(name: string): Promise<Identity> {
    return openIdentity(join(this.#folder, name));
  }

  async add(name: string, handshakeMs?: number): Promise<LinkedMember> {
    const identity = await openIdentity(join(this.#folder, name));
    const http = createServer((request, response) => {
      request.resume().on('end', () => response.end(`${name} ${request.url}`));
    });
    this.#plain.push(http);
    const server = new LinkServer({
      ...{ identity, log: silentLog, serve: (socket, member) => linked.serve(socket, member) },
      known: () => new Map([...this.known.values()].map(({ fingerprint, name: of }) => [fingerprint, of])),
      ...(handshakeMs === undefined ? {} : { handshakeMs }),
    });
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    const agents = new MemberAgents(
      identity,
      (member) => this.known.get(member),
      () => true,
    );
    const serve = (socket: TLSSocket) => void http.emit('connection', socket);
    const linked: LinkedMember = { name, identity, server, agents, port, serve };
    this.members.set(name, linked);
    this.known.set(name, { name, address: `127.0.0.1:${port}`, fingerprint: identity.fingerprint });
    return linked;
  }

  member(name: string): LinkedMember {
    const member = this.members.get(name);
    if (!member) throw new Error(`no member ${name}`);
    return member;
  }

  /** Tells all members that the fleet has changed. */
  recheck(): void {
    for (const { server, agents } of this.members.values()) {
      server.recheck();
      agents.recheck();
    }
  }

  async stop(): Promise<void> {
    for (const { agents, server } of this.members.values()) {
      agents.stop();
      await server.stop();
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
