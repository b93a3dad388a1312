import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../../base/coded-error.ts';
import { type DaemonProcess, startDaemonProcess } from '../daemon-process.ts';
import { Transcript } from '../transcript.ts';
import { type EtcdNodes, freePorts, startEtcdNodes } from './etcd-nodes.ts';
import { deleteAll, FLEET_STEPS, type TourFleet, type TourMember } from './steps.ts';

const BIN = fileURLToPath(new URL('../../../../../bin', import.meta.url));
const FOLDER = '/var/lib/porthole-cluster';

/** /tmp may not let others enter it. */
const TEMPORARY = '/var/tmp/porthole-cluster-';

/** Others must be able to enter each folder above an instance's root filesystem. */
const SEARCHABLE = 0o711;

const NAMES = ['ma', 'mb', 'mc'] as const;
const ETCD_PORTS = 6;

const HELP = `Usage: npm run cluster [-- --tour-only] [-- --folder DIR]

Brings up three nodes of etcd and three members of a fleet on this machine, and shows how a change crosses hosts and
what happens when a member dies. Afterwards all of them go on until Ctrl-C.

  --tour-only     on temporary state; cleans up and exits with 0, or 1 when a step failed
  --folder DIR    where etcd and the members keep everything (${FOLDER})
`;

/** Everything that is to be stopped, the first one last. */
class Machines {
  etcd: EtcdNodes | undefined;
  readonly daemons = new Map<string, DaemonProcess>();

  async stop(): Promise<void> {
    await Promise.all([...this.daemons.values()].map((daemon) => daemon.stop()));
    await this.etcd?.stop();
  }
}

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      'tour-only': { type: 'boolean', default: false },
      folder: { type: 'string', default: FOLDER },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = firstSignal();
  if (!values['tour-only']) {
    mkdirSync(values.folder, { recursive: true, mode: SEARCHABLE });
    return await show(values.folder, { stay: true, interrupted });
  }
  const folder = mkdtempSync(TEMPORARY);
  chmodSync(folder, SEARCHABLE);
  try {
    return await show(folder, { stay: false, interrupted });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function show(
  folder: string,
  { stay, interrupted }: { stay: boolean; interrupted: Promise<void> },
): Promise<number> {
  const machines = new Machines();
  try {
    const fleet = await bringUp(folder, machines);
    const passed = await Promise.race([takeTour(fleet), interrupted.then(() => false)]);
    if (!stay) await deleteAll(fleet);
    else if (passed) await serve(folder, interrupted);
    return passed ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  } finally {
    await machines.stop();
  }
}

async function bringUp(folder: string, machines: Machines): Promise<TourFleet> {
  const ports = await portsOf(folder);
  const etcd = await startEtcdNodes(folder, ports);
  machines.etcd = etcd;
  const members = NAMES.map((name, at) => memberOf(folder, name, ports[ETCD_PORTS + at] ?? 0, machines));
  for (const member of members) await member.start();
  const [ma, mb, mc] = members as [TourMember, TourMember, TourMember];
  return { members: [ma, mb, mc], killEtcd: () => etcd.kill(2) };
}

/** The ports stay the same: etcd and the members know each other by them. */
async function portsOf(folder: string): Promise<number[]> {
  const path = join(folder, 'ports.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as number[];
  const ports = await freePorts(ETCD_PORTS + NAMES.length);
  writeFileSync(path, JSON.stringify(ports));
  return ports;
}

function memberOf(folder: string, name: string, port: number, machines: Machines): TourMember {
  const stateDir = join(folder, name);
  const env = { ...process.env, PORTHOLE_DIR: stateDir };
  const write = (text: string) => process.stdout.write(text);
  return {
    name,
    shell: new Transcript([`${BIN}/porthole`], env, write, `${name}$`),
    async start() {
      const settings = {
        'server-name': name,
        store: 'etcd',
        'etcd-endpoints': machines.etcd?.endpoints ?? '',
        'member-address': `127.0.0.1:${port}`,
      };
      const flags = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]);
      machines.daemons.set(name, await startDaemonProcess(BIN, stateDir, env, flags));
    },
    async kill() {
      await machines.daemons.get(name)?.kill();
      machines.daemons.delete(name);
    },
  };
}

async function takeTour(fleet: TourFleet): Promise<boolean> {
  const started = performance.now();
  for (const [at, step] of FLEET_STEPS.entries()) {
    process.stdout.write(`\n${at + 1}. ${step.title}\n\n`);
    try {
      await step.show(fleet);
    } catch (failure) {
      process.stderr.write(`\nThe tour failed at "${step.title}": ${messageOf(failure)}\n`);
      return false;
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(
    `\nAll ${FLEET_STEPS.length} steps of the tour gave what they must, in ${seconds} s.\n`,
  );
  return true;
}

async function serve(folder: string, interrupted: Promise<void>): Promise<void> {
  process.stdout.write(
    [
      '',
      `The fleet goes on in ${folder}; two of the nodes of etcd run. In another terminal:`,
      '',
      `   PORTHOLE_DIR=${folder}/ma ${BIN}/porthole cluster list`,
      `   LXD_DIR=${folder}/mb lxc list`,
      '',
      'Ctrl-C stops the daemons and etcd; instances go on running.',
      '',
    ].join('\n'),
  );
  await interrupted;
}

/** Ctrl-C may come twice, from the terminal and through npm: the second one changes nothing. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}
