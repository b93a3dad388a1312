// Connects, gets one answer, passes the connection to its parent, and ends: the process that connected is
// then gone. The answer comes first, because the caller is unknown if the process is gone when the connection
// is accepted.
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
