"""Holds connections to the guest API until its input ends. Usage: hold.py SOCKET COUNT HOW
HOW: `ask` asks on each, and prints how many were answered; `gone` has each made by a process that ends at once.
"""
import os
import socket
import sys

path, count, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
REQUEST = b'GET /1.0/config/user.id HTTP/1.1\r\nHost: lxd\r\n\r\n'
WAIT_SECONDS = 20


def made():
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if how == 'gone':
        child = os.fork()
        if child == 0:
            connection.connect(path)
            os._exit(0)
        os.waitpid(child, 0)
    else:
        connection.connect(path)
    # Not before: one that does not wait is refused while many others are on their way in.
    connection.settimeout(WAIT_SECONDS)
    return connection


def answered(connection):
    try:
        connection.sendall(REQUEST)
        return connection.recv(65536).startswith(b'HTTP/1.1 200 ')
    except OSError:
        return False


held = [made() for _ in range(count)]
print(sum(map(answered, held)) if how == 'ask' else len(held), flush=True)
sys.stdin.read()
