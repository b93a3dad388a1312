import { merge } from '../base/merge.ts';
import type { Profile } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import type { ProfileInfo } from '../profiles/profile-info.ts';
import {
  type ProfileJson,
  parseNewProfile,
  parseProfileFields,
  parseProfilePatch,
  parseRename,
} from '../wire/profile.ts';
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
import { preconditionOf, profileEtag } from './etag.ts';
import { MERGE_ATTEMPTS_MAX } from './host-limits.ts';
import { type UsersOf, usersIn } from './used-by.ts';

const COLLECTION = '/1.0/profiles';

/** GET /1.0/profiles. */
export function listProfiles({ backend }: Edge, call: Call): Answer {
  const infos = backend.profiles.list();
  if (recursionOf(call) > 0) {
    const users = usersIn(backend.fleet);
    return sync(infos.map((info) => profileJson(info, users)));
  }
  return sync(infos.map(({ profile }) => urlOf(COLLECTION, profile.name)));
}

/** POST /1.0/profiles. */
export async function createProfile({ backend }: Edge, call: Call): Promise<Answer> {
  const profile = parseNewProfile(await call.json());
  await backend.profiles.create(profile, call.by);
  return created(urlOf(COLLECTION, profile.name));
}

/** GET /1.0/profiles/NAME. */
export function getProfile({ backend }: Edge, call: Call): Answer {
  const info = backend.profiles.get(param(call, 'name'));
  return sync(profileJson(info, usersIn(backend.fleet)), profileEtag(info.profile));
}

/** PUT /1.0/profiles/NAME. */
export async function updateProfile({ backend }: Edge, call: Call): Promise<Answer> {
  const name = param(call, 'name');
  const fields = parseProfileFields(await call.json());
  const check = preconditionOf(ifMatch(call), profileEtag);
  check(backend.profiles.get(name).profile);
  await backend.profiles.update(name, fields, call.by, check);
  return done();
}

/** PATCH /1.0/profiles/NAME: merges. */
export async function patchProfile({ backend }: Edge, call: Call): Promise<Answer> {
  const part = parseProfilePatch(await call.json());
  await mergeProfile(backend, call, part);
  return done();
}

/** A change by another client between reading and writing must not be undone: the part is merged again. */
async function mergeProfile(backend: HostBackend, call: Call, part: ReturnType<typeof parseProfilePatch>) {
  const name = param(call, 'name');
  const check = preconditionOf(ifMatch(call), profileEtag);
  for (let attempt = 1; ; attempt++) {
    const base = backend.profiles.get(name).profile;
    check(base);
    const seen = profileEtag(base);
    let overtaken = false;
    try {
      return await backend.profiles.update(name, merged(base, part), call.by, (current) => {
        overtaken = profileEtag(current) !== seen;
        if (overtaken) throw hostError('precondition-failed', profileEtag(current), seen);
      });
    } catch (error) {
      if (!overtaken || attempt === MERGE_ATTEMPTS_MAX) throw error;
    }
  }
}

function merged(base: Profile, part: ReturnType<typeof parseProfilePatch>) {
  return {
    description: part.description ?? base.description,
    config: merge(base.config, part.config),
    devices: merge(base.devices, part.devices),
  };
}

/** POST /1.0/profiles/NAME: rename. */
export async function renameProfile({ backend }: Edge, call: Call): Promise<Answer> {
  const to = parseRename(await call.json());
  await backend.profiles.rename(param(call, 'name'), to, call.by);
  return created(urlOf(COLLECTION, to));
}

/** DELETE /1.0/profiles/NAME. */
export async function deleteProfile({ backend }: Edge, call: Call): Promise<Answer> {
  await backend.profiles.delete(param(call, 'name'), call.by);
  return done();
}

function profileJson(info: ProfileInfo, users: UsersOf): ProfileJson {
  const { profile } = info;
  return {
    name: profile.name,
    description: profile.description,
    config: profile.config,
    devices: profile.devices,
    used_by: users(info).map((name) => urlOf('/1.0/instances', name)),
  };
}
