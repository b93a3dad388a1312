import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server that a test can cut: then it holds its connections and passes nothing on. */
export class CuttableWay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #cutsBefore: { readonly text: string; left: number } | undefined;

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer((near) => {
      const far = connect(target);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => {
          this.#look(bytes);
          if (!this.#isCut) to.write(bytes);
        });
        from.on('error', () => {});
        from.on('close', () => {
          this.#sockets.delete(from);
          if (!this.#isCut) to.destroy();
        });
      }
    });
  }

  /** @param url of the server */
  static async to(url: string): Promise<CuttableWay> {
    const { hostname, port } = new URL(url);
    const way = new CuttableWay({ host: hostname, port: Number(port) });
    way.#server.listen(0, '127.0.0.1');
    await once(way.#server, 'listening');
    return way;
  }

  /** URL of the way. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
  }

  /** Cuts the way before a piece of data with a text passes that the given number of pieces with it have passed. */
  cutBefore(text: string, passed: number): void {
    this.#cutsBefore = { text, left: passed };
  }

  #look(bytes: Buffer | string): void {
    const at = this.#cutsBefore;
    if (!at || !bytes.includes(at.text) || at.left-- > 0) return;
    this.#cutsBefore = undefined;
    this.cut();
  }

  /** Lets new connections through; those from before are broken. */
  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.mend();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
