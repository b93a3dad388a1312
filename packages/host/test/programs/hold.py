"""Holds connections to the guest API until its input ends. Usage: hold.py SOCKET COUNT HOW
HOW: `ask` makes a request on each, and prints how many were answered; `gone` has each made by a process that
ends at once; `pass` sends a descriptor on each whose last close takes a minute, and prints how many could be
sent; `fill` closes each at once, and prints how many more than COUNT could be made before the queue was
full.
"""
import os
import socket
import struct
import sys

path, count, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
REQUEST = b'GET /1.0/config/user.id HTTP/1.1\r\nHost: lxd\r\n\r\n'
WAIT_SECONDS = 20
unread = []


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
    # Not before connect(): with a timeout it would be refused while the queue is full.
    connection.settimeout(WAIT_SECONDS)
    return connection


def answered(connection):
    try:
        connection.sendall(REQUEST)
        return connection.recv(65536).startswith(b'HTTP/1.1 200 ')
    except OSError:
        return False


def passed(connection):
    with socket.create_server(('127.0.0.1', 0)) as server, socket.socket() as lingering:
        lingering.connect(server.getsockname())
        unread.append(server.accept()[0])
        lingering.setblocking(False)
        try:
            while lingering.send(bytes(65536)):
                pass
        except BlockingIOError:
            lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 60))
        try:
            socket.send_fds(connection, [REQUEST], [lingering.fileno()])
            return True
        except PermissionError:
            lingering.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            return False


def filled():
    count = 0
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            try:
                connection.connect(path)
            except BlockingIOError:
                return count
        count += 1


held = [made() for _ in range(count)]
print({'ask': lambda: sum(map(answered, held)), 'gone': lambda: len(held),
       'pass': lambda: sum(map(passed, held)), 'fill': filled}[how](), flush=True)
sys.stdin.read()
