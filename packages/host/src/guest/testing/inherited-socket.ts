import { once } from 'node:events';
import { silentLog } from '../../base/log.ts';
import { GuestServer } from '../server.ts';
import { FakeBackend } from './harness.ts';

/** A daemon that gets its listening socket as descriptor 3; it ends when its input ends. */
const server = new GuestServer(new FakeBackend(), { log: silentLog });
await server.listen({ fd: 3 });
process.stdout.write('listening\n');
await once(process.stdin.resume(), 'end');
await server.stop(1000);
