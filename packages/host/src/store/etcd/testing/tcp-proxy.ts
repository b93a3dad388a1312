import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to a request of the client. */
export type Fate =
  | 'pass'
  /** It is carried out, and its answer never arrives. */
  | 'lose-answer'
  /** It never arrives. */
  | 'lose-request'
  /** The client's connection ends, and the request arrives when it is released. */
  | 'hold';

/** Stands between a client and etcd: it delays, closes and loses what passes. */
export class TcpProxy {
  /** URL for the client. */
  readonly endpoint: string;
  /** Delay of each piece in each direction. */
  delayMs = 0;
  /** Decides about each piece that the client sends. */
  fate: (text: string) => Fate = () => 'pass';
  /** Called when a request or an answer has been lost. */
  onLoss: () => void = () => {};
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  #isCut = false;
  #isSilent = false;
  #isMuted = false;

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
    const { port } = server.address() as { port: number };
    this.endpoint = `http://127.0.0.1:${port}`;
    server.on('connection', (client) => this.#take(client));
  }

  /** @param endpoint URL of etcd */
  static async open(endpoint: string): Promise<TcpProxy> {
    const { hostname: host, port } = new URL(endpoint);
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, { host, port: Number(port) });
  }

  /** Ends all connections, and each new one at once. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends all connections; nothing listens any more. */
  async refuse(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** What etcd sends is lost, until everything is restored. */
  mute(): void {
    this.#isMuted = true;
  }

  /** Holds all connections, and passes on nothing: what arrives is lost. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Everything passes again. Connections that were silent end. */
  async restore(): Promise<void> {
    if (this.#isSilent || this.#isMuted) for (const socket of this.#sockets) socket.destroy();
    this.#isCut = false;
    this.#isSilent = false;
    this.delayMs = 0;
    this.fate = () => 'pass';
    this.onLoss = () => {};
    this.#isMuted = false;
    if (this.#server.listening) return;
    this.#server.listen(Number(new URL(this.endpoint).port), '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Lets the requests arrive that were held. */
  release(): void {
    for (const send of this.#held.splice(0)) send();
  }

  get heldCount(): number {
    return this.#held.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(client: Socket): void {
    if (this.#isCut) return void client.destroy();
    const upstream = connect({ ...this.#target, noDelay: true });
    let losesAnswer = false;
    let isHeld = false;
    for (const socket of [client, upstream]) this.#sockets.add(socket);
    client.on('data', (bytes: Buffer) => {
      const fate = this.#isSilent ? 'pass' : this.fate(bytes.toString('latin1'));
      if (fate === 'lose-request') {
        client.destroy();
        return this.onLoss();
      }
      if (fate === 'lose-answer') losesAnswer = true;
      if (fate === 'hold') {
        isHeld = true;
        this.#held.push(() => upstream.write(bytes));
        return void client.destroy();
      }
      this.#later(() => upstream.writable && upstream.write(bytes));
    });
    upstream.on('data', (bytes: Buffer) => {
      if (losesAnswer || isHeld) {
        for (const socket of [client, upstream]) socket.destroy();
        return losesAnswer ? this.onLoss() : undefined;
      }
      if (!this.#isMuted) this.#later(() => client.writable && client.write(bytes));
    });
    client.on('close', () => isHeld || this.#later(() => upstream.destroy()));
    upstream.on('close', () => this.#later(() => client.destroy()));
    for (const socket of [client, upstream]) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    }
  }

  #later(work: () => void): void {
    if (this.#isSilent) return;
    if (this.delayMs === 0) work();
    else setTimeout(() => this.#isSilent || work(), this.delayMs);
  }
}
