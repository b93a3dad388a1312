// bin/porthole-runtime starts this program before the real runtime. Arguments: the state directory, whether the daemon
// is required (`yes` or `no`), and the real runtime's own arguments.

import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/coded-error.ts';
import { ownBin } from '../base/own-bin.ts';
import { editBundle } from './bundle.ts';
import { tellFailure } from './failure.ts';
import { readArguments } from './runtime-arguments.ts';

const [stateDir = '', required, ...args] = process.argv.slice(2);
const { bundle, log } = readArguments(args);
const place = { stateDir, bin: ownBin(), required: required === 'yes' };
void editBundle(bundle ?? process.cwd(), place).catch((error) => {
  tellFailure(messageOf(error), log, systemClock);
  process.exitCode = 1;
});
