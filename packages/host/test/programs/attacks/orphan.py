"""Connects and is known, forks, ends; its child asks over the connection when its parent is gone. Usage: orphan.py SOCKET"""
import os
import sys
from guest import ask, known

parent = os.getpid()
connection = known(sys.argv[1])
out, alive = os.pipe()
if os.fork() != 0:
    os._exit(0)
os.close(alive)
os.read(out, 1)
print(ask(connection), flush=True)
