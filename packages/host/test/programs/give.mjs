// Connects, hands the connection to its parent, and ends: what is left is a connection whose maker is gone. Before
// that it has been answered once: a connection whose maker is gone when it is accepted is nobody's.
// Usage: give.mjs SOCKET (with an IPC channel)
import { connect } from 'node:net';

const socket = connect(process.argv[2], () => socket.write('HEAD / HTTP/1.1\r\nHost: lxd\r\n\r\n'));
let answer = '';
socket.on('data', function read(bytes) {
  answer += bytes;
  if (!answer.endsWith('\r\n\r\n')) return;
  socket.off('data', read);
  socket.pause();
  process.send('connection', socket, () => process.disconnect());
});
