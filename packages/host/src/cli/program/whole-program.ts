import type { Command } from 'commander';
import { addAdopt } from '../commands/adopt.ts';
import { addBackup } from '../commands/backup.ts';
import { addCluster } from '../commands/cluster.ts';
import { addCompletion } from '../commands/completion.ts';
import { addConfig } from '../commands/config.ts';
import { addConsole } from '../commands/console.ts';
import { addCp } from '../commands/cp.ts';
import { addCreate } from '../commands/create.ts';
import { addDelete } from '../commands/delete.ts';
import { addExec } from '../commands/exec.ts';
import { addFile } from '../commands/file.ts';
import { addImage } from '../commands/image.ts';
import type { Builders } from '../commands/image-build.ts';
import { addInfo, addInspect } from '../commands/info.ts';
import { addList } from '../commands/list.ts';
import { addLogs } from '../commands/logs.ts';
import { addMonitor } from '../commands/monitor.ts';
import { addOperation } from '../commands/operation.ts';
import { addProfile } from '../commands/profile.ts';
import { addQuery } from '../commands/query.ts';
import { addRename } from '../commands/rename.ts';
import { addSetup } from '../commands/setup.ts';
import { addShell } from '../commands/shell.ts';
import { addState } from '../commands/state.ts';
import { addTour } from '../commands/tour.ts';
import { addVersion } from '../commands/version.ts';
import { addWait } from '../commands/wait.ts';
import { addExamples } from '../help.ts';
import type { Io } from '../io.ts';
import type { Open } from '../session.ts';
import { emptyProgram } from './empty-program.ts';

/** The program with all commands. */
export function buildProgram(io: Io, open: Open, builders: Builders): Command {
  const program = emptyProgram(io);
  program.commandsGroup('Instances:');
  for (const add of [
    addCreate,
    addAdopt,
    addList,
    addInfo,
    addState,
    addDelete,
    addRename,
    addExec,
    addShell,
    addConsole,
    addLogs,
    addWait,
    addInspect,
    addFile,
    addCp,
    addConfig,
  ])
    add(program, open);
  program.commandsGroup('Profiles and images:');
  addProfile(program, open);
  addImage(program, open, builders);
  program.commandsGroup('Daemon:');
  for (const add of [
    addMonitor,
    addCluster,
    addBackup,
    addOperation,
    addQuery,
    addSetup,
    addTour,
    addVersion,
    addCompletion,
  ])
    add(program, open);
  program.helpCommand('help [command]', 'the same as --help');
  addExamples(program, [
    ['porthole image build busybox', 'makes a small image with the alias busybox'],
    ['porthole launch busybox c1', 'makes and starts an instance'],
    ['porthole shell c1', 'opens a shell in it'],
    ['porthole config set c1 user.colour=blue', 'sets a key that it can read: GET /1.0/config/user.colour'],
  ]);
  return program;
}
