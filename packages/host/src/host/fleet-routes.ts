import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { hostError } from '../core/host-errors.ts';
import { type Answer, type Call, type Edge, param, sync } from './call.ts';
import type { FleetCases } from './fleet-cases.ts';
import { APPLIED_MS, FILE_CHUNK_BYTES } from './host-limits.ts';

/** The fleet, for a request of another member. @throws not-found for an operator */
function fleetFor({ backend }: Edge, { sender }: Call): FleetCases {
  if (sender === undefined || backend.fleet === null) throw hostError('not-found');
  return backend.fleet;
}

/** GET /fleet/1.0/applied?revision=R: whether the changes up to a revision are applied here; waits for them a while. */
export async function waitUntilApplied(edge: Edge, call: Call): Promise<Answer> {
  const fleet = fleetFor(edge, call);
  const revision = call.query.get('revision') ?? '';
  if (!/^\d{1,15}$/.test(revision)) throw hostError('bad-request', 'Invalid revision');
  return sync({ applied: await fleet.applied(Number(revision), APPLIED_MS) });
}

/** GET /fleet/1.0/images/FINGERPRINT: how many files of an image are here. */
export function countImageFiles(edge: Edge, call: Call): Answer {
  return sync({ files: fleetFor(edge, call).imageFiles(param(call, 'fingerprint')).length });
}

/** GET /fleet/1.0/images/FINGERPRINT/files/NUMBER: the bytes of one of them; the metadata of a split image is 0. */
export async function sendImageFile(edge: Edge, call: Call): Promise<Answer> {
  const number = param(call, 'number');
  const path = /^\d$/.test(number)
    ? fleetFor(edge, call).imageFiles(param(call, 'fingerprint'))[Number(number)]
    : undefined;
  if (path === undefined) throw hostError('image-not-found');
  const { size } = await stat(path);
  return {
    kind: 'raw',
    headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': size },
    data: createReadStream(path, { highWaterMark: FILE_CHUNK_BYTES }),
  };
}
