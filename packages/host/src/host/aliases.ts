import { parseAliasPatch, parseNewAlias } from '../wire/image.ts';
import { parseRename } from '../wire/profile.ts';
import { wireError } from '../wire/wire-errors.ts';
import type { HostBackend } from './backend.ts';
import {
  type Answer,
  type Call,
  created,
  done,
  type Edge,
  ifMatch,
  param,
  recursionOf,
  sync,
  urlOf,
} from './call.ts';
import { aliasEtag, preconditionOf, stillSame } from './etag.ts';
import { aliasJson } from './image-json.ts';

const COLLECTION = '/1.0/images/aliases';

/** GET /1.0/images/aliases. */
export function listAliases({ backend }: Edge, call: Call): Answer {
  const aliases = backend.images.aliases();
  return sync(
    recursionOf(call) > 0 ? aliases.map(aliasJson) : aliases.map(({ name }) => urlOf(COLLECTION, name)),
  );
}

/** POST /1.0/images/aliases. */
export async function createAlias({ backend }: Edge, call: Call): Promise<Answer> {
  const alias = parseNewAlias(await call.json());
  await backend.images.createAlias({ ...alias, target: fullFingerprint(backend, alias.target) }, call.by);
  return created(urlOf(COLLECTION, alias.name));
}

/** GET /1.0/images/aliases/NAME. */
export function getAlias({ backend }: Edge, call: Call): Answer {
  const alias = backend.images.alias(param(call, 'name'));
  return sync(aliasJson(alias), aliasEtag(alias));
}

/** PUT /1.0/images/aliases/NAME: an absent description is empty. */
export async function updateAlias({ backend }: Edge, call: Call): Promise<Answer> {
  const { target, description } = parseAliasPatch(await call.json());
  if (!target) throw wireError('alias-target');
  return change(backend, call, target, description ?? '');
}

/** PATCH /1.0/images/aliases/NAME: absent fields stay. */
export async function patchAlias({ backend }: Edge, call: Call): Promise<Answer> {
  const { target, description } = parseAliasPatch(await call.json());
  const alias = backend.images.alias(param(call, 'name'));
  return change(backend, call, target ?? alias.target, description ?? alias.description);
}

async function change(
  backend: HostBackend,
  call: Call,
  target: string,
  description: string,
): Promise<Answer> {
  const name = param(call, 'name');
  const alias = backend.images.alias(name);
  const check = stillSame(alias, preconditionOf(ifMatch(call), aliasEtag));
  check(alias);
  const fields = { target: fullFingerprint(backend, target), description };
  await backend.images.updateAlias(name, fields, call.by, check);
  return done();
}

/** POST /1.0/images/aliases/NAME: rename. */
export async function renameAlias({ backend }: Edge, call: Call): Promise<Answer> {
  const to = parseRename(await call.json());
  await backend.images.renameAlias(param(call, 'name'), to, call.by);
  return created(urlOf(COLLECTION, to));
}

/** DELETE /1.0/images/aliases/NAME. */
export async function deleteAlias({ backend }: Edge, call: Call): Promise<Answer> {
  await backend.images.deleteAlias(param(call, 'name'), call.by);
  return done();
}

/** A target may be a prefix; the full fingerprint is stored. */
function fullFingerprint(backend: HostBackend, target: string): string {
  return backend.images.get(target).image.fingerprint;
}
