// Connects to LXC's monitor at an abstract address COUNT times, and asks it for something that it refuses.
import { connect } from 'node:net';

const [address, count] = process.argv.slice(2);

function knock() {
  return new Promise((resolve) => {
    const socket = connect(`\0${address}`, () => socket.write(Buffer.alloc(24)));
    socket.on('error', () => {});
    socket.on('close', resolve);
  });
}

for (let turn = 0; turn < Number(count); turn++) await knock();
