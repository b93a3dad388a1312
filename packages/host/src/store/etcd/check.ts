import { CodedError, messageOf } from '../../base/coded-error.ts';
import { type Etcd, type EtcdOptions, openEtcd } from '../../etcd/client.ts';
import type { Status } from '../../etcd/requests.ts';

/** Each question to etcd. All endpoints are asked at the same time, so that the whole takes a few times as long. */
const QUESTION_MS = 3_000;

/** Reads whose times are compared. */
const READS = 5;

interface Tried {
  readonly endpoint: string;
  readonly status: Status;
  /** The median time of a read that etcd's nodes agree on. */
  readonly readMs: number;
}

/**
 * Tries whether etcd can be used as these settings say.
 * @returns lines for people: version and cluster, times, how this host proves who it is, and endpoints that fail
 * @throws CodedError of the etcd room, or `etcd-clusters`, if it cannot be used
 */
export async function checkEtcd(options: EtcdOptions, prefix: string): Promise<readonly string[]> {
  const outcomes = await Promise.allSettled(
    options.endpoints.map((each) => tryEndpoint(each, options, prefix)),
  );
  const tried = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  const [first] = tried;
  if (!first) throw failed[0];
  refuseDifferent(first, tried);
  const whole = { ...options, endpoints: [first.endpoint] };
  return [
    ...tried.map(describe),
    ...failed.map((reason) => `etcd: not in use: ${messageOf(reason)}`),
    await describeTls(whole, prefix),
    await describeLogin(whole, prefix),
    `etcd: keys that begin with ${prefix} can be read and written`,
  ];
}

function describe({ endpoint, status, readMs }: Tried): string {
  const { version, clusterId, memberId } = status;
  const ids = `cluster ${hex(clusterId)}, node ${hex(memberId)}`;
  return `etcd: ${endpoint} runs version ${version} (${ids}) and answers a read in ${readMs.toFixed(1)} ms`;
}

/** As etcdctl shows ids. */
const hex = (id: string) => BigInt(id).toString(16);

function refuseDifferent(first: Tried, tried: readonly Tried[]): void {
  const other = tried.find(({ status }) => status.clusterId !== first.status.clusterId);
  if (!other) return;
  const message = `etcd at ${first.endpoint} and etcd at ${other.endpoint} are of different clusters: etcd-endpoints must name the nodes of one`;
  throw new CodedError('etcd-clusters', 400, message);
}

async function tryEndpoint(endpoint: string, options: EtcdOptions, prefix: string): Promise<Tried> {
  return withClient({ ...options, endpoints: [endpoint] }, async (etcd) => {
    const status = await etcd.status();
    await tryKeys(etcd, prefix);
    const times: number[] = [];
    for (let left = READS; left > 0; left--) {
      const start = performance.now();
      await etcd.range({ prefix, limit: 1, keysOnly: true });
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return { endpoint, status, readMs: times[Math.floor(READS / 2)] ?? 0 };
  });
}

/** Asks for the right to read and to write: etcd checks both before it compares, and the compare never holds. */
async function tryKeys(etcd: Etcd, prefix: string): Promise<void> {
  const key = `${prefix}check`;
  await etcd.txn({
    compare: [{ key, is: '<', version: 0 }],
    success: [{ put: { key, value: '' } }],
    failure: [{ range: { prefix, limit: 1, keysOnly: true } }],
  });
}

async function describeTls(options: EtcdOptions, prefix: string): Promise<string> {
  const { endpoints, tls = {} } = options;
  if (endpoints[0]?.startsWith('http:')) return 'etcd: the connection is not encrypted';
  if (!tls.cert) return 'etcd: TLS; this host shows no certificate';
  const { cert: _, key: __, ...rest } = tls;
  const asks = (await failureOf({ ...options, tls: rest }, prefix)) !== null;
  const use = asks
    ? 'etcd asks for a certificate, and accepts that of etcd-cert'
    : 'etcd does not ask for the certificate of etcd-cert';
  return `etcd: TLS; ${use}`;
}

async function describeLogin({ login, ...rest }: EtcdOptions, prefix: string): Promise<string> {
  if (!login) return 'etcd: no user, and etcd asks for none';
  const asks = (await failureOf(rest, prefix)) !== null;
  return asks
    ? `etcd: user ${login.user}, whose password is accepted`
    : `etcd: user ${login.user} is not needed: etcd asks for no user`;
}

/** Why etcd does not answer a read; null if it does. */
async function failureOf(options: EtcdOptions, prefix: string): Promise<string | null> {
  try {
    await withClient(options, (etcd) => etcd.range({ prefix, limit: 1, keysOnly: true }));
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

async function withClient<T>(options: EtcdOptions, work: (etcd: Etcd) => Promise<T>): Promise<T> {
  const etcd = openEtcd({ ...options, timeoutMs: QUESTION_MS });
  try {
    return await work(etcd);
  } finally {
    etcd.close();
  }
}
