import { connect, createServer, type Server, type Socket } from 'node:net';

// Started on the host of a member, between it and etcd: passes bytes on after a delay.
// Usage: delay.ts PORT ADDRESS [PORT ADDRESS]...  A number on standard input is the delay from now on, in milliseconds.

const ETCD_PORT = 2379;

let delayMs = 0;

/** Passes bytes on, in order. */
function pass(from: Socket, to: Socket): void {
  let last = Promise.resolve();
  const later = (work: () => void) => {
    const due = new Promise<void>((resolve) => setTimeout(resolve, delayMs));
    last = Promise.all([last, due]).then(work);
  };
  from.on('data', (bytes) => later(() => void (to.destroyed || to.write(bytes))));
  from.on('close', () => later(() => void to.destroy()));
  from.on('error', () => {});
}

function listen(port: number, address: string): Server {
  return createServer((near) => {
    const far = connect(ETCD_PORT, address);
    pass(near, far);
    pass(far, near);
  }).listen(port, '127.0.0.1');
}

const args = process.argv.slice(2);
for (let at = 0; at < args.length; at += 2) listen(Number(args[at]), args[at + 1] as string);
process.stdin.on('data', (text) => {
  delayMs = Number(String(text).trim().split('\n').at(-1));
});
