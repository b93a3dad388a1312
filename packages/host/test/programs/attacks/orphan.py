"""Connects and gets an answer, forks and ends. Its child makes a request over the connection after that.
Usage: orphan.py SOCKET"""
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
