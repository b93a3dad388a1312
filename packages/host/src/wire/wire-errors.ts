import { errorsOf } from '../base/coded-error.ts';

/** Reasons to refuse a body, a header or a parameter of the host API. */
export const WIRE_ERRORS = {
  'bad-request': [400, '%s'],
  'not-json': [400, 'The body is not JSON: %s'],
  'unknown-action': [400, "Unknown action: '%s'"],
  'unknown-source': [400, 'Unknown source type %s'],
  'unknown-event-type': [400, '"%s" isn\'t a supported event type'],
  'invalid-file-header': [400, 'Invalid file %s: %s'],
  'alias-incomplete': [400, 'name and target are required'],
  'alias-target': [400, 'The target field is required'],
  'image-type': [400, 'Image type not supported: %s'],
  'instance-type': [400, 'Instance type not supported: %s'],
  'stateful-instance': [400, 'Stateful instances are not supported'],
  'stateful-change': [400, 'Stateful stop and start are not supported: Porthole does not save what runs'],
  'instance-size': [400, 'Instance types such as "%s" are not supported: set limits.*'],
  'not-an-image': [400, 'Instances are made from images only, not from other instances or backups'],
  'no-image': [400, 'source: neither fingerprint nor alias given'],
  'remote-image': [400, 'Images of other servers are not supported: import the image first'],
  'no-snapshots': [400, 'Porthole has no snapshots of instances'],
  'no-migration': [400, 'Migration is not supported: an instance stays on its host'],
  'join-by-address': [
    400,
    'A host joins a fleet through etcd, not through another member: run `porthole cluster enable` on it',
  ],
  'console-type': [400, 'Unknown console type "%s"'],
  'console-vga': [400, 'VGA console is only supported by virtual machines'],
  'no-recorded-output': [400, 'record-output is not supported: use websockets'],
} as const;

/** Makes the error of a code; the values replace each `%s`. */
export const wireError = errorsOf(WIRE_ERRORS);
