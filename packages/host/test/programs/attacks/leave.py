"""Lets a child connect and end, prints that, and makes a request over its connection when it reads a line.
Usage: leave.py SOCKET"""
import os
import socket
import sys
from guest import ask

connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
if os.fork() == 0:
    connection.connect(sys.argv[1])
    # Its pid on the host: /proc is the host's here.
    print(os.path.basename(os.readlink('/proc/self')), flush=True)
    os._exit(0)
os.wait()
print('left', flush=True)
sys.stdin.readline()
print(ask(connection), flush=True)
