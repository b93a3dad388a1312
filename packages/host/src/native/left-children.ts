import { readFileSync } from 'node:fs';
import { WNOHANG, waitpid } from './waitpid.ts';

const INTERVAL_MS = 1_000;

/**
 * Reaps the children that the previous program of this process has left: no other process can, and they would
 * stay as zombies. Must be called before this program starts any children.
 */
export function reapLeftChildren(): void {
  let left = childrenOf(process.pid);
  const reap = () => {
    left = left.filter((pid) => waitpid(pid, null, WNOHANG) === 0);
    if (left.length === 0) clearInterval(timer);
  };
  const timer = setInterval(reap, INTERVAL_MS);
  timer.unref();
  reap();
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
