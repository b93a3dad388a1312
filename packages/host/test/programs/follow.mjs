// Follows events with Node's own HTTP client, and prints status and lines.
// Usage: follow.mjs SOCKET
import { get } from 'node:http';

get({ socketPath: process.argv[2], path: '/1.0/events', headers: { host: 'lxd' } }, (response) => {
  console.log(`HTTP/1.1 ${response.statusCode}`);
  response.pipe(process.stdout);
});
