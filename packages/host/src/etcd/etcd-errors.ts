import { errorsOf } from '../base/coded-error.ts';

/** Failures of etcd and of the way to it. The first value is the endpoint, or all that were tried; the second why. */
export const etcdError = errorsOf({
  'etcd-unreachable': [503, 'etcd cannot be reached at %s: %s'],
  'etcd-no-leader': [503, 'etcd at %s has no leader: too few of its nodes see each other'],
  'etcd-refused-credentials': [503, 'etcd at %s refuses the credentials: %s'],
  'etcd-permission': [503, 'etcd at %s does not permit this to its user: %s'],
  'etcd-certificate': [503, 'The TLS connection to etcd at %s failed: %s'],
  'etcd-too-large': [413, 'This is too large for etcd at %s: %s'],
  'etcd-too-many-operations': [413, 'This changes too many keys at once for etcd at %s: %s'],
  'etcd-no-space': [503, 'etcd at %s has no space left: %s'],
  'etcd-compacted': [410, 'etcd at %s no longer has that revision: %s'],
  'etcd-future-revision': [503, 'etcd at %s does not have that revision yet: %s'],
  'etcd-unknown': [503, 'It is not known whether etcd at %s has made this change: %s'],
  'etcd-failed': [500, 'etcd at %s answered with an error: %s'],
});
