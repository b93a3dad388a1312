import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../process/run.ts';
import type { TlsFiles } from '../endpoint.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'];

/** Makes certificates with openssl, in a folder: `NAME.crt` and `NAME.key`. */
export class Authority {
  readonly #folder: string;
  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  static async make(folder: string, name: string): Promise<Authority> {
    await openssl(folder, name, ['-x509', ...KEY, '-subj', `/CN=${name}`]);
    return new Authority(folder, name);
  }

  get crt(): string {
    return join(this.#folder, `${this.#name}.crt`);
  }

  /**
   * Signs a certificate whose common name is that of its file.
   * @param purposes of the certificate, such as `serverAuth,clientAuth`
   */
  async sign(
    name: string,
    purposes: string,
    { addresses = [], subject = `/CN=${name}` }: { addresses?: readonly string[]; subject?: string } = {},
  ): Promise<void> {
    const names = addresses.map((address) => `IP:${address}`).join(',');
    await openssl(this.#folder, name, [
      '-x509',
      ...KEY,
      ...['-CA', this.crt, '-CAkey', join(this.#folder, `${this.#name}.key`)],
      ...['-subj', subject, '-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', `extendedKeyUsage=${purposes}`],
      ...(names === '' ? [] : ['-addext', `subjectAltName=${names}`]),
    ]);
  }

  /** What a client needs. @param name of its certificate, if it has one */
  files(name?: string): TlsFiles {
    const ca = readFileSync(this.crt, 'utf8');
    if (name === undefined) return { ca };
    const read = (end: string) => readFileSync(join(this.#folder, `${name}.${end}`), 'utf8');
    return { ca, cert: read('crt'), key: read('key') };
  }
}

async function openssl(folder: string, name: string, args: readonly string[]): Promise<void> {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
  const { ok, failure, stderr } = await run('openssl', ['req', ...args, ...files]);
  if (!ok) throw new Error(`openssl: ${failure} ${stderr}`);
}
