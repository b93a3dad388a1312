"""Makes a request as root of new user and PID namespaces; that root is user UID of the instance.
Usage: nested.py SOCKET UID"""
import os
import sys
from guest import CLONE_NEWPID, CLONE_NEWUSER, ask, checked, connect, libc

path, uid = sys.argv[1:3]
ready, go = os.pipe(), os.pipe()
inside = os.fork()
if inside == 0:
    checked(libc.unshare(CLONE_NEWUSER | CLONE_NEWPID))
    os.write(ready[1], b'.')
    os.read(go[0], 1)
    if os.fork() == 0:
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        assert os.getpid() == 1 and os.getuid() == 0
        print(ask(connect(path)), flush=True)
        os._exit(0)
    os.wait()
    os._exit(0)
os.read(ready[0], 1)
# /proc is the host's here, not the instance's: it shows the process under its host pid.
number = os.path.basename(os.readlink('/proc/self'))
children = open(f'/proc/{number}/task/{number}/children').read().split()
for kind in ('uid', 'gid'):
    with open(f'/proc/{children[0]}/{kind}_map', 'w') as file:
        file.write(f'0 {uid} 1')
os.write(go[1], b'.')
os.wait()
