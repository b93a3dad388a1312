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
  /** As its own documentation advises for many connections and files; else near Debian's settings. */
  readonly tuned: boolean;
}

const EXPORT_TARGET = '/1.0/images/export';

/**
 * nginx with one worker: fixed answers and `sendfile`, without a check of the caller. The practical limit.
 */
export async function startNginx({ folder, callersOf, image, tuned }: NginxOptions): Promise<Peer> {
  const name = tuned ? 'nginx tuned' : 'nginx';
  const prefix = join(folder, name.replace(' ', '-'));
  const socket = join(prefix, 'sock');
  const settings = join(prefix, 'nginx.conf');
  await mkdir(prefix);
  await writeFile(settings, configuration({ prefix, socket, image, ...(tuned ? TUNED : STOCK) }));
  const program = new Program(onCore('server', ['nginx', '-p', prefix, '-c', settings]));
  await untilServed(socket, program);
  return {
    name,
    socket,
    callersOf,
    exportTarget: EXPORT_TARGET,
    [Symbol.asyncDispose]: () => program.stop(),
  };
}

const STOCK = { events: '', http: '' };
const TUNED = {
  events: 'multi_accept on;',
  http: 'tcp_nopush on; open_file_cache max=1000 inactive=1h; open_file_cache_valid 1h;',
};

interface Configuration {
  readonly prefix: string;
  readonly socket: string;
  readonly image: string;
  /** More settings for these blocks. */
  readonly events: string;
  readonly http: string;
}

/** Sets paths for all that nginx may write; allows endless requests per connection, as the others do. */
function configuration({ prefix, socket, image, events, http }: Configuration): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
worker_processes 1;
user root;
pid ${prefix}/pid;
error_log ${prefix}/error.log error;
events { worker_connections 16384; ${events} }
http {
  access_log off;
  sendfile on;
  ${http}
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
