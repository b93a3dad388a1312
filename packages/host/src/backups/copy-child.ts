import { readSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { messageOf } from '../base/coded-error.ts';
import { makeCopy } from './copying.ts';
import { copiesIn, removeParts } from './folder.ts';
import type { Order, Told } from './order.ts';

// A separate program for all work in the folder of copies, because the disk of the folder may be slow or may not
// answer. `order.ts` has the messages between the daemon and this program.

const STDIN = 0;
const STDOUT = 1;
/** The daemon and the instances come first. */
const NICE = 10;

function tell(line: Told): void {
  writeSync(STDOUT, `${JSON.stringify(line)}\n`);
}

function hear(): void {
  if (readSync(STDIN, Buffer.alloc(16)) === 0) throw new Error('the daemon has given up this copy');
}

function carryOut(order: Order): void {
  const { folder, directoryId } = order;
  if (order.verb === 'create') makeCopy(order, { tell, hear });
  else if (order.clean) removeParts(folder, directoryId);
  tell({ step: 'done', copies: copiesIn(folder, directoryId) });
}

try {
  setPriority(NICE);
  carryOut(JSON.parse(process.argv[2] ?? '') as Order);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
