import type { ServerInfo } from '../../../guest/src/wire.ts';
import { isGuestKey } from '../core/guest-keys.ts';
import { readLimit, readPosition } from '../core/position.ts';
import type { GuestView } from '../core/view.ts';
import { queryValue } from '../http/target.ts';
import { conditional } from './conditional.ts';
import { LISTED_EVENTS_MAX } from './guest-limits.ts';
import { type GuestReply, type Handler, refuse } from './reply.ts';
import { readState } from './state-body.ts';

/** Features that Porthole adds to LXD's guest API; docs/guest-api.md explains each. */
export const API_EXTENSIONS: readonly string[] = [
  'event_since',
  'config_etag',
  'config_wait',
  'guest_config',
];

/** `GET /` */
export const getVersions: Handler = () => ({ kind: 'json', value: ['/1.0'] });

/** `GET /1.0` */
export const getServer: Handler = (view) => {
  const info: ServerInfo = {
    state: view.ready ? 'Ready' : 'Started',
    api_version: '1.0',
    instance_type: 'container',
    location: view.location,
    auth: 'untrusted',
    supported_storage_drivers: [],
    api_extensions: API_EXTENSIONS,
  };
  return { kind: 'json', value: info };
};

/** `PATCH /1.0` */
export const patchState: Handler = (_view, { body }) => {
  const state = readState(body);
  if (state.kind === 'invalid-body') return refuse('invalid-body', state.reason);
  if (state.kind === 'invalid-state') return refuse('invalid-state', state.quoted);
  return { kind: 'set-ready', ready: state.ready };
};

/** `GET /1.0/config`: names are raw, not percent-encoded; cloud-init depends on it. */
export const listConfig: Handler = (view, request) => {
  const value = view.listed.map((key) => `/1.0/config/${key}`);
  return conditional({ kind: 'json', value, etag: view.listEtag }, request);
};

/** `GET /1.0/config/{key}` */
export const getConfig: Handler = (view, request) => {
  const key = request.variable;
  if (!isReadable(view, key)) return refuse('forbidden');
  const value = view.config.get(key);
  const etag = view.etags.get(key);
  if (value === undefined || etag === undefined) return refuse('not-found');
  return conditional({ kind: 'raw', value, etag }, request);
};

function isReadable(view: GuestView, key: string): boolean {
  if (isGuestKey(key)) return view.allowsGuestConfig;
  return key.startsWith('user.') || key.startsWith('cloud-init.');
}

/** `GET /1.0/devices` */
export const getDevices: Handler = (view) => ({ kind: 'json', value: view.devices });

/** `GET /1.0/meta-data` */
export const getMetaData: Handler = (view) => ({ kind: 'raw', value: view.metaData });

/**
 * `GET /1.0/events`: unknown types are accepted and match nothing. With `since`, events have positions. With
 * a `limit` too, or for a client that accepts only JSON, the answer is a list of the stored events.
 */
export const getEvents: Handler = (_view, { head }) => {
  const { query } = head.target;
  const types = eventTypes(queryValue(query, 'type') || 'config,device');
  const websocket = head.fields.upgrade === 'websocket';
  const given = queryValue(query, 'since');
  if (given === undefined) return { kind: 'stream-events', types, websocket };
  const since = readPosition(given);
  if (since === undefined) return refuse('invalid-position');
  const givenLimit = queryValue(query, 'limit');
  const lists = givenLimit !== undefined || takesJsonOnly(head.fields.accept);
  if (websocket || !lists) return { kind: 'stream-events', types, websocket, since };
  const limit = givenLimit === undefined ? LISTED_EVENTS_MAX : readLimit(givenLimit, LISTED_EVENTS_MAX);
  return limit === undefined ? refuse('invalid-limit') : { kind: 'list-events', types, since, limit };
};

/** A stream of lines is not JSON text. Clients that also accept other types, as most do, get a stream. */
function takesJsonOnly(accept = ''): boolean {
  return /^application\/json[ \t]*(;[^,]*)?$/i.test(accept);
}

/** Lifecycle events are only for the host, even if `type` asks for them. */
function eventTypes(list: string): ReadonlySet<string> {
  return new Set(list.split(',').filter((type) => type === 'config' || type === 'device'));
}

/** `GET /1.0/images/{fingerprint}/export`: an image gets the same answer for any reason it is not served. */
export const exportImage: Handler = (view, { head, variable: fingerprint }): GuestReply => {
  if (!view.allowsImages) return { kind: 'refuse-image', code: 'forbidden' };
  const project = queryValue(head.target.query, 'project') || 'default';
  if (project !== 'default' || !/^[0-9a-f]{64}$/.test(fingerprint)) {
    return { kind: 'refuse-image', code: 'not-found' };
  }
  return { kind: 'export-image', fingerprint };
};

/** `GET /1.0/ubuntu-pro`: Porthole has no Ubuntu Pro tokens. */
export const getUbuntuPro: Handler = () => ({ kind: 'json', value: { guest_attach: 'off' } });
