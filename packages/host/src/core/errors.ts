import { errorsOf } from '../base/coded-error.ts';

/**
 * Every expected failure that an operator can meet: code, status, message. Texts are LXD's where it has
 * one (clients and scripts compare them); `%s` is filled in when the error is thrown.
 */
export const HOST_ERRORS = {
  'instance-not-found': [404, 'Instance not found'],
  'image-not-found': [404, 'Image not found'],
  'alias-not-found': [404, 'Image alias not found'],
  'profile-not-found': [404, 'Profile not found'],
  'operation-not-found': [404, 'Operation not found'],
  'not-found': [404, 'not found'],
  'file-not-found': [404, 'Not Found'],
  'project-not-found': [404, 'Project not found'],
  'not-implemented': [501, 'not implemented'],
  'bad-request': [400, '%s'],
  'invalid-name': [400, 'Invalid instance name: %s'],
  'name-in-use': [409, 'Name "%s" already in use'],
  'instance-exists': [
    409,
    'Failed creating instance record: Add instance info to the database: This "instances" entry already exists',
  ],
  'create-failed': [400, 'Failed creating instance record: %s'],
  'unknown-source': [400, 'Unknown source type %s'],
  'unknown-action': [400, "Unknown action: '%s'"],
  'invalid-config': [400, 'Invalid config: %s'],
  'invalid-devices': [400, 'Invalid devices: %s'],
  'invalid-expanded-devices': [400, 'Invalid expanded devices: %s'],
  'device-start-failed': [400, 'Failed to start device "%s": %s'],
  'device-add-failed': [400, 'Failed add validation for device "%s": %s'],
  'already-running': [400, 'The instance is already running'],
  'already-stopped': [400, 'The instance is already stopped'],
  'command-not-found': [400, 'Command not found'],
  'command-not-executable': [400, 'Command not executable'],
  'not-running': [400, 'Instance is not running'],
  'not-ours': [400, 'The instance is run by another runtime: %s'],
  'is-running': [400, 'Instance is running'],
  'rename-running': [400, 'Renaming of running container not allowed'],
  protected: [400, 'Container is protected'],
  busy: [400, 'Failed to create instance %s operation: Instance is busy running a "%s" operation'],
  'shutdown-timeout': [400, 'Failed shutting down instance, status is "Running": %s'],
  'profile-missing': [400, 'Requested profile "%s" doesn\'t exist'],
  'profile-duplicate': [400, 'Duplicate profile found in request'],
  'profile-exists': [409, 'Error inserting "%s" into database: The profile already exists'],
  'profile-in-use': [400, 'Profile is currently in use'],
  'profile-changed': [409, 'Profile "%s" was given to another instance meanwhile: try again'],
  'profile-default-delete': [403, 'The "default" profile cannot be deleted'],
  'profile-default-rename': [403, 'The "default" profile cannot be renamed'],
  'no-name': [400, 'No name provided'],
  'profile-name-slash': [400, 'Profile names may not contain slashes'],
  'profile-name-invalid': [400, 'Invalid profile name "%s"'],
  'alias-exists': [409, 'Alias "%s" already exists'],
  'alias-name-invalid': [400, 'Invalid alias name "%s"'],
  'image-exists': [409, 'Image with same fingerprint already exists'],
  'image-ambiguous': [400, 'More than one image matches'],
  'image-invalid': [400, '%s'],
  'image-too-large': [413, 'Image is too large: %s'],
  'fingerprint-mismatch': [400, "Image fingerprint doesn't match: expected %s, got %s"],
  'precondition-failed': [412, "ETag doesn't match: %s vs %s"],
  'not-cancellable': [400, "This operation can't be cancelled"],
  'operation-finished': [400, 'Only running operations can be cancelled'],
  'bad-secret': [403, 'Invalid websocket secret'],
  'body-too-large': [413, 'The body is larger than %s bytes'],
  'client-gone': [400, 'The request breaks off'],
  'too-many-listeners': [503, 'Too many event listeners'],
  'shutting-down': [503, 'The daemon is shutting down'],
  'runtime-failed': [500, '%s'],
} as const satisfies Record<string, readonly [number, string]>;

export type HostErrorCode = keyof typeof HOST_ERRORS;

/** Makes the error of a code, its `%s` filled in. */
export const hostError = errorsOf(HOST_ERRORS);
