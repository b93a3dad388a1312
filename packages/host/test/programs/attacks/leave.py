"""Lets a child connect and end, says so, and asks over the child's connection when it is told to.
Usage: leave.py SOCKET"""
import os
import socket
import sys
from guest import ask

connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
if os.fork() == 0:
    connection.connect(sys.argv[1])
    # Its number on the host, whose proc is what is seen here.
    print(os.path.basename(os.readlink('/proc/self')), flush=True)
    os._exit(0)
os.wait()
print('left', flush=True)
sys.stdin.readline()
print(ask(connection), flush=True)
