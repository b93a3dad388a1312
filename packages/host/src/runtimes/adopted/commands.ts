import type { Container, ContainerRuntime } from '../../core/container.ts';
import { hostError } from '../../core/host-errors.ts';
import type { RuntimeAction } from '../contract/runtime.ts';

/** How the error names an action. */
interface Words {
  /** The words before the command. */
  readonly verb: string;
  /** The words without a command, for a container that is not known. */
  readonly plain: string;
}

const leaves = (action: string) => `${action} it there, or delete it here, which leaves its processes alone`;

const WORDS: Readonly<Record<RuntimeAction, Words>> = {
  exec: { verb: 'run commands', plain: 'run commands with it' },
  console: { verb: 'attach to its console', plain: 'attach to its console with it' },
  files: { verb: 'copy files', plain: 'copy files with it' },
  stop: { verb: 'stop it', plain: leaves('stop') },
  kill: { verb: 'end it', plain: leaves('stop') },
  restart: { verb: 'restart it', plain: leaves('restart') },
  freeze: { verb: 'freeze it', plain: 'its processes are left alone' },
  unfreeze: { verb: 'continue it', plain: 'its processes are left alone' },
  start: { verb: 'start it', plain: 'start it there, then adopt its new process' },
};

type Commands = Readonly<Record<RuntimeAction, string>>;

/** The commands of Podman's client; Docker's client has the same ones. */
const podman = (program: string, name: string): Commands => ({
  exec: `${program} exec ${name} COMMAND`,
  console: `${program} attach ${name}`,
  files: `${program} cp ${name}:PATH PATH`,
  stop: `${program} stop ${name}`,
  kill: `${program} kill ${name}`,
  restart: `${program} restart ${name}`,
  freeze: `${program} pause ${name}`,
  unfreeze: `${program} unpause ${name}`,
  start: `${program} start ${name}`,
});

/** runc and crun have no command for consoles and files; a container that has ended must be deleted and run again. */
const oci = (program: string, id: string): Commands => ({
  exec: `${program} exec ${id} COMMAND`,
  console: `${program} exec -t ${id} sh`,
  files: `${program} exec ${id} cat PATH`,
  stop: `${program} kill ${id}`,
  kill: `${program} kill ${id} KILL`,
  restart: `${program} delete -f ${id} && ${program} run -d -b BUNDLE ${id}`,
  freeze: `${program} pause ${id}`,
  unfreeze: `${program} resume ${id}`,
  start: `${program} delete -f ${id} && ${program} run -d -b BUNDLE ${id}`,
});

/** machinectl cannot freeze; systemctl can freeze the unit of a machine. */
const nspawn = (name: string): Commands => ({
  exec: `machinectl shell ${name} PATH ARGUMENTS`,
  console: `machinectl login ${name}`,
  files: `machinectl copy-from ${name} PATH PATH`,
  stop: `machinectl poweroff ${name}`,
  kill: `machinectl terminate ${name}`,
  restart: `machinectl reboot ${name}`,
  freeze: `systemctl freeze "$(machinectl show ${name} -p Unit --value)"`,
  unfreeze: `systemctl thaw "$(machinectl show ${name} -p Unit --value)"`,
  start: `machinectl start ${name}`,
});

/** @param at options with the name, and with the folder if it is not LXC's usual one */
const lxc = (at: string): Commands => ({
  exec: `lxc-attach ${at} -- COMMAND`,
  console: `lxc-console ${at}`,
  files: `lxc-attach ${at} -- cat PATH`,
  stop: `lxc-stop ${at}`,
  kill: `lxc-stop ${at} -k`,
  restart: `lxc-stop ${at} -r`,
  freeze: `lxc-freeze ${at}`,
  unfreeze: `lxc-unfreeze ${at}`,
  start: `lxc-start ${at}`,
});

const COMMANDS: Readonly<Record<ContainerRuntime, (container: Container) => Commands>> = {
  podman: ({ name, id }) => podman('podman', shellWord(name || id)),
  docker: ({ name, id }) => podman('docker', shellWord(name || id)),
  oci: ({ id, record }) => oci(programOf(id, record), shellWord(id)),
  nspawn: ({ name, id }) => nspawn(shellWord(name || id)),
  lxc: ({ name, id, record }) => lxc(placeOf(name || id, record)),
};

/**
 * Refuses an action that only the runtime of a container can do.
 * @param container null if it is not known, because the instance was adopted by pid
 * @throws CodedError not-ours, with that runtime's command
 */
export function refuseAction(action: RuntimeAction, container: Container | null): never {
  const { verb, plain } = WORDS[action];
  if (container === null) throw hostError('not-ours', plain);
  throw hostError('not-ours', `${verb} with \`${COMMANDS[container.runtime](container)[action]}\``);
}

/** The command of the runtime that has this record: runc or crun, with its folder if that is not the usual one. */
function programOf(id: string, record: string): string {
  const parts = record.split('/');
  const at = parts.lastIndexOf(id);
  const folder = parts.slice(0, at).join('/');
  const program = parts[at - 1];
  if (at < 1 || (program !== 'runc' && program !== 'crun')) return 'runc';
  return folder === `/run/${program}` ? program : `${program} --root ${shellWord(folder)}`;
}

const LXC_FOLDER = '/var/lib/lxc';

/** The options of LXC's tools for a container: its name, and its folder if that is not the usual one. */
function placeOf(name: string, record: string): string {
  const parts = record.split('/');
  const folder = parts.slice(0, parts.lastIndexOf(name)).join('/');
  const usual = folder === '' || folder === LXC_FOLDER;
  return `-n ${shellWord(name)}${usual ? '' : ` -P ${shellWord(folder)}`}`;
}

/** A text as one word of a POSIX shell. Names of containers may contain any character. */
function shellWord(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
