"""On the host, as root: starts a process with a given pid, prints whether it exists, and ends it at the end
of input.
Usage: take-pid.py PID [INIT], in the PID namespace of INIT if that is given"""
import ctypes
import os
import sys
from guest import CLONE_NEWPID, checked, libc

SYS_CLONE3 = 435
SYS_PIDFD_OPEN = 434
SIGCHLD = 17
SET_TID_AT, ARGUMENTS = 9, 11

pid = int(sys.argv[1])
pids = [pid]
if len(sys.argv) > 2:
    checked(libc.setns(checked(libc.syscall(SYS_PIDFD_OPEN, int(sys.argv[2]), 0)), CLONE_NEWPID))
    # The first pid is one that the instance does not use; the innermost namespace comes first.
    pids = [29999, pid]
tids = (ctypes.c_int * len(pids))(*pids)
arguments = (ctypes.c_uint64 * ARGUMENTS)()
arguments[4] = SIGCHLD
arguments[SET_TID_AT - 1] = ctypes.addressof(tids)
arguments[SET_TID_AT] = len(pids)
started = checked(libc.syscall(SYS_CLONE3, arguments, ctypes.sizeof(arguments)))
if started == 0:
    libc.pause()
    os._exit(0)
print(os.path.exists(f'/proc/{pid}'), flush=True)
sys.stdin.read()
os.kill(pid, 9)
os.waitpid(pid, 0)
