import { hostError } from '../core/host-errors.ts';
import type { Upload } from '../images/upload.ts';
import { parseUploadHeaders } from '../wire/image.ts';
import { drain } from './body.ts';
import { type Answer, type Call, type Edge, started } from './call.ts';

/**
 * POST /1.0/images: an upload, one file or several parts, read at the pace at which it is stored.
 * Copies from servers, URLs and instances (a JSON body) are not served.
 */
export async function uploadImage({ backend }: Edge, call: Call): Promise<Answer> {
  const { filename, ...options } = parseUploadHeaders(call.headers);
  const operation = await backend.images.import(uploadOf(call, filename), options, call.by);
  // A refused upload may have more to send.
  await drain(call.body);
  return started(operation);
}

function uploadOf(call: Call, filename: string): Upload {
  const type = (call.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'multipart/form-data') return { kind: 'split', parts: call.parts() };
  if (type !== 'application/json') return { kind: 'unified', filename, data: call.body };
  throw hostError('uploads-only');
}
