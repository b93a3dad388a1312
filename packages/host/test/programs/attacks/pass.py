"""Passes a connection to a process of another instance, which makes a request over it.
Usage: pass.py give|take SOCKET NAME"""
import socket
import sys
from guest import ask, known

what, path, name = sys.argv[1:4]
if what == 'give':
    connection = known(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.connect(f'\0{name}')
        socket.send_fds(channel, [b'.'], [connection.fileno()])
else:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(f'\0{name}')
        listener.listen(1)
        print('listening', flush=True)
        channel, _ = listener.accept()
        _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
        print(ask(socket.socket(fileno=descriptors[0])), flush=True)
