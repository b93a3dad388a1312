// Connects, hands the connection to its parent, and ends: what is left is a connection whose maker is gone.
// Usage: give.mjs SOCKET (with an IPC channel)
import { connect } from 'node:net';

const socket = connect(process.argv[2], () => process.send('connection', socket, () => process.disconnect()));
