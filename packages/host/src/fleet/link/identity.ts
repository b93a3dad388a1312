import { createHash, createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { messageOf } from '../../base/coded-error.ts';
import { replaceFile } from '../../base/replace-file.ts';
import { syncFolder } from '../../base/sync-folder.ts';
import { run } from '../../process/run.ts';
import { linkError } from './link-errors.ts';

/** By what the other members know this one. */
export interface Identity {
  /** sha256 of the certificate in DER form, 64 lower-case hex digits. */
  readonly fingerprint: string;
  /** Certificate and key in PEM form, and the one version of TLS that members speak. */
  readonly tls: {
    readonly cert: string;
    readonly key: string;
    readonly minVersion: 'TLSv1.3';
    readonly maxVersion: 'TLSv1.3';
  };
  /** The same, read once. */
  readonly context: SecureContext;
}

/** Key and certificate are in one file, so that they always belong together. */
const MODE = 0o600;
const OTHERS = 0o077;

/** Making one takes some ms; a host without entropy or with a hanging disk would take for ever. */
const MAKE_MS_MAX = 20_000;

/** Nobody checks the time: a member is known by its fingerprint until it is removed. */
const DAYS = '36500';

const MAKE = [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch', '-sha256'],
  ...['-days', DAYS, '-subj', '/CN=porthole', '-keyout', '-', '-out', '-'],
];

/**
 * The own certificate from a file; the first call makes it. A file that cannot be used stays as it is: the other members
 * know its fingerprint.
 * @param openssl the program that makes it
 * @throws certificate-not-made, certificate-unusable
 */
export async function openIdentity(path: string, openssl = 'openssl'): Promise<Identity> {
  const there = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw linkError('certificate-unusable', path, messageOf(error));
  });
  const pem = there ?? (await make(path, openssl));
  try {
    if (((await stat(path)).mode & OTHERS) !== 0) throw new Error('others than its owner may open it');
    return identityOf(pem);
  } catch (error) {
    throw linkError('certificate-unusable', path, messageOf(error));
  }
}

async function make(path: string, openssl: string): Promise<string> {
  const made = await run(openssl, MAKE, { timeoutMs: MAKE_MS_MAX });
  if (!made.ok) throw linkError('certificate-not-made', made.failure);
  try {
    identityOf(made.stdout);
    await replaceFile(path, made.stdout, MODE, 'replace');
    await syncFolder(dirname(path));
  } catch (error) {
    throw linkError('certificate-not-made', messageOf(error));
  }
  return made.stdout;
}

/** @throws Error if the text is not a certificate with its key */
function identityOf(pem: string): Identity {
  // Not imported: the built form loads this module late, with its functions only.
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  const certificate = new X509Certificate(pem);
  if (!certificate.checkPrivateKey(createPrivateKey(pem)))
    throw new Error('the key is not that of the certificate');
  const tls = { cert: pem, key: pem, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
  return { fingerprint: fingerprintOf(certificate.raw), tls, context: createSecureContext(tls) };
}

/** The fingerprint of a certificate. @param der its bytes */
export function fingerprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}
