import { CodedError, messageOf } from '../base/coded-error.ts';
import { keepCompiledCode } from '../base/compiled-code.ts';
import { ownVersion } from '../base/version.ts';
import { type DaemonConfig, type Invocation, readConfig } from '../config/config.ts';
import { etcdSettings } from '../config/etcd-settings.ts';
import { helpText } from '../config/help.ts';
import { RECOVER } from '../config/recovery-flags.ts';
import { discard, readInherited } from '../restart/inherited.ts';
import type { SignalQueue } from '../restart/signals.ts';
import { becomeSuccessor, type Command, startGuard, whyNoSuccessor } from '../restart/successor.ts';
import { ServiceManager } from '../service-manager/service-manager.ts';
import { checkEtcd } from '../store/etcd/check.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { recoveryCommand } from './recovery-command.ts';
import { requireHost, startFailure } from './start-failure.ts';

const OK = 0;
const FAILURE = 1;
const USAGE = 2;

/**
 * Carries out the command line, which usually runs the daemon until a signal ends it.
 * @returns the exit code
 */
export async function portholed(command: Command, signals: SignalQueue): Promise<number> {
  try {
    const [word, ...rest] = command.args;
    if (word === RECOVER) return await recoveryCommand(command, rest);
    const invocation = readConfig(command);
    if (invocation.kind === 'help') return print(helpText());
    if (invocation.kind === 'version') return print(ownVersion());
    if (invocation.kind === 'check') return await check(invocation);
    // First: the service manager expects signs of life during the start, too.
    const manager = new ServiceManager(command.env, process.pid);
    const daemon = await start(invocation.config, command, () => manager.ready());
    keepCompiledCode();
    await followSignals(signals, daemon, { command, manager });
    return OK;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    process.stderr.write(`portholed: ${messageOf(error)}\n`);
    return error.code === 'bad-settings' ? USAGE : FAILURE;
  }
}

async function check({ config, asksOthers }: Extract<Invocation, { kind: 'check' }>): Promise<number> {
  const { settings } = config;
  if (settings.store === 'etcd' && asksOthers)
    print((await checkEtcd(etcdSettings(settings), settings['etcd-prefix'])).join('\n'));
  return OK;
}

async function start(config: DaemonConfig, { env }: Command, onServing: () => void): Promise<Daemon> {
  requireHost();
  try {
    return await startDaemon(config, readInherited(env, process.pid), onServing);
  } catch (error) {
    throw startFailure(error, config);
  }
}

/** Settles when the daemon has ended for good. */
async function followSignals(
  signals: SignalQueue,
  daemon: Daemon,
  { command, manager }: { command: Command; manager: ServiceManager },
): Promise<void> {
  while ((await signals.next()) === 'SIGHUP') {
    const guard = startGuard(process.pid);
    const failure = (await whyNoSuccessor(command)) || (await daemon.whyUnwritable());
    if (failure !== '') {
      daemon.log.error({ failure }, 'the program on disk could not start: this one goes on');
    }
    if (failure !== '' || signals.ended) {
      guard.leave();
      continue;
    }
    await guard.loaded();
    manager.reloading();
    const left = await daemon.endForTakeOver();
    const unguarded = await guard.hold();
    if (unguarded !== '')
      daemon.log.warn({ reason: unguarded }, 'a signal in this moment would end the daemon');
    // Signals that came before the guard held them are in the queue after a turn of the event loop.
    await signals.settled();
    if (signals.ended) {
      guard.leave();
      manager.stopping();
      return discard(left);
    }
    becomeSuccessor(command, left);
  }
  manager.stopping();
  await daemon.stop();
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return OK;
}
