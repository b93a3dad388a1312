import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onCore } from '../frame/cores.ts';
import { Program } from '../frame/programs.ts';
import { untilServed } from '../frame/wait.ts';
import { KEY_TARGET, type Peer, SERVER_BODY, SERVER_TARGET, VALUE } from './peer.ts';

export interface NginxOptions {
  /** A folder of the benchmarks that callers may search. */
  readonly folder: string;
  readonly callersOf: number;
  /** The image's file. */
  readonly image: string;
}

const EXPORT_TARGET = '/1.0/images/export';

/**
 * nginx with one worker: fixed answers and `sendfile`, without a check of the caller. The practical limit.
 */
export async function startNginx({ folder, callersOf, image }: NginxOptions): Promise<Peer> {
  const prefix = join(folder, 'nginx');
  const socket = join(prefix, 'sock');
  const settings = join(prefix, 'nginx.conf');
  await mkdir(prefix);
  await writeFile(settings, configuration(prefix, socket, image));
  const program = new Program(onCore('server', ['nginx', '-p', prefix, '-c', settings]));
  await untilServed(socket, program);
  return {
    name: 'nginx',
    socket,
    callersOf,
    exportTarget: EXPORT_TARGET,
    [Symbol.asyncDispose]: () => program.stop(),
  };
}

/** Sets paths for all that nginx may write; allows endless requests per connection, as the others do. */
function configuration(prefix: string, socket: string, image: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
worker_processes 1;
user root;
pid ${prefix}/pid;
error_log ${prefix}/error.log error;
events { worker_connections 16384; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  ${temporary.map((name) => `${name}_temp_path ${prefix}/${name};`).join('\n  ')}
  server {
    listen unix:${socket} backlog=4096;
    location = ${SERVER_TARGET} { default_type application/json; return 200 '${SERVER_BODY}'; }
    location = ${KEY_TARGET} { default_type application/octet-stream; return 200 '${VALUE}'; }
    location = ${EXPORT_TARGET} { default_type application/octet-stream; alias ${image}; }
  }
}
`;
}
