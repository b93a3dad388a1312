import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Passes connections on to an address, until it is cut. Then it passes nothing on, in neither direction, and lets the
 * connections stay: the two sides do not notice it, as when a network loses all packets. When it is joined again,
 * everything that was held back arrives, as what a kernel sends again.
 */
export class Passage implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(host: string, port: number) {
    this.#server = createServer((near) => {
      const far = connect({ host, port, noDelay: true });
      near.setNoDelay(true);
      this.#take(near, far);
      this.#take(far, near);
    });
  }

  /** @param target `HOST:PORT` */
  static async open(target: string): Promise<Passage> {
    const [host = '', port = ''] = target.split(':');
    const passage = new Passage(host, Number(port));
    passage.#server.listen(0, '127.0.0.1');
    await once(passage.#server, 'listening');
    return passage;
  }

  /** `HOST:PORT` where it listens. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  join(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #take(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    if (this.#isCut) from.pause();
    // Few bytes wait: nothing here holds back a side that reads slowly.
    from.on('data', (bytes) => to.write(bytes));
    if (this.#isCut) from.pause();
    from.on('error', () => {});
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.once('end', () => to.end());
  }
}
