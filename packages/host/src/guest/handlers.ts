import type { ServerInfo } from '../../../guest/src/wire.ts';
import { queryValue } from '../http/target.ts';
import { type GuestReply, type Handler, refuse } from './reply.ts';
import { readState } from './state-body.ts';

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
export const listConfig: Handler = (view) => ({
  kind: 'json',
  value: view.listed.map((key) => `/1.0/config/${key}`),
});

/** `GET /1.0/config/{key}` */
export const getConfig: Handler = (view, { variable: key }) => {
  if (!key.startsWith('user.') && !key.startsWith('cloud-init.')) return refuse('forbidden');
  const value = view.config.get(key);
  return value === undefined ? refuse('not-found') : { kind: 'raw', value };
};

/** `GET /1.0/devices` */
export const getDevices: Handler = (view) => ({ kind: 'json', value: view.devices });

/** `GET /1.0/meta-data` */
export const getMetaData: Handler = (view) => ({ kind: 'raw', value: view.metaData });

/** `GET /1.0/events`: unknown types are accepted and match nothing. */
export const getEvents: Handler = (_view, { head }) => {
  const types = queryValue(head.target.query, 'type') || 'config,device';
  return {
    kind: 'stream-events',
    types: new Set(types.split(',')),
    websocket: head.fields.upgrade === 'websocket',
  };
};

/** `GET /1.0/images/{fingerprint}/export`: whatever is not served looks the same. */
export const exportImage: Handler = (view, { head, variable: fingerprint }): GuestReply => {
  if (!view.images) return { kind: 'refuse-image', code: 'forbidden' };
  const project = queryValue(head.target.query, 'project') || 'default';
  if (project !== 'default' || !/^[0-9a-f]{64}$/.test(fingerprint)) {
    return { kind: 'refuse-image', code: 'not-found' };
  }
  return { kind: 'export-image', fingerprint };
};

/** `GET /1.0/ubuntu-pro`: Porthole hands out no Ubuntu Pro tokens. */
export const getUbuntuPro: Handler = () => ({ kind: 'json', value: { guest_attach: 'off' } });
