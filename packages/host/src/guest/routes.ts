import { decodeSegment } from '../http/target.ts';
import * as handlers from './handlers.ts';
import { deleteKey, putKey } from './key-writes.ts';
import type { Handler } from './reply.ts';

export interface Route {
  /** At most one `{variable}`, which stands for one segment. */
  readonly path: string;
  readonly methods: { readonly [method in 'GET' | 'PATCH' | 'PUT' | 'DELETE']?: Handler };
  /** Whether HEAD answers like GET without a body. */
  readonly head: boolean;
  /** The form of the refusal when the guest API is switched off: text, or the JSON of images. */
  readonly refusal: 'refuse' | 'refuse-image';
}

const plain = { head: true, refusal: 'refuse' } as const;
const image = { head: true, refusal: 'refuse-image' } as const;
const endless = { head: false, refusal: 'refuse' } as const;

/** All routes of the guest API. */
export const ROUTES: readonly Route[] = [
  { path: '/', methods: { GET: handlers.getVersions }, ...plain },
  { path: '/1.0', methods: { GET: handlers.getServer, PATCH: handlers.patchState }, ...plain },
  { path: '/1.0/config', methods: { GET: handlers.listConfig }, ...plain },
  {
    path: '/1.0/config/{key}',
    methods: { GET: handlers.getConfig, PUT: putKey, DELETE: deleteKey },
    ...plain,
  },
  { path: '/1.0/devices', methods: { GET: handlers.getDevices }, ...plain },
  { path: '/1.0/meta-data', methods: { GET: handlers.getMetaData }, ...plain },
  { path: '/1.0/ubuntu-pro', methods: { GET: handlers.getUbuntuPro }, ...plain },
  { path: '/1.0/events', methods: { GET: handlers.getEvents }, ...endless },
  { path: '/1.0/images/{fingerprint}/export', methods: { GET: handlers.exportImage }, ...image },
];

export interface RouteMatch {
  readonly route: Route;
  /** Decoded; empty for a route without variable. */
  readonly variable: string;
}

const FIXED: ReadonlyMap<string, RouteMatch> = new Map(
  ROUTES.filter(({ path }) => !path.includes('{')).map((route) => [route.path, { route, variable: '' }]),
);

const VARIABLE = ROUTES.filter(({ path }) => path.includes('{')).map((route) => ({
  route,
  before: route.path.slice(0, route.path.indexOf('{')),
  after: route.path.slice(route.path.indexOf('}') + 1),
}));

/**
 * The route of a clean path. The variable segment is found in the encoded path, so that it may contain `%2F`,
 * and is then decoded once.
 */
export function findRoute(path: string): RouteMatch | undefined {
  const fixed = FIXED.get(path);
  if (fixed !== undefined) return fixed;
  for (const { route, before, after } of VARIABLE) {
    if (!path.startsWith(before) || !path.endsWith(after)) continue;
    const segment = path.slice(before.length, path.length - after.length);
    if (segment === '' || segment.includes('/')) continue;
    return { route, variable: decodeSegment(segment) };
  }
  return undefined;
}
