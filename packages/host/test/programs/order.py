"""One instance sends many changes on many connections, then another sends two: one that is refused at once, and one that
is stored. Prints as JSON: the number of answers to the first instance with each status (`statuses`), how many of them had
come when the other sent its changes (`sent`) and when the first of these was answered (`answered`), and the statuses of
both (`other`). The answer to the second waits for the disk, and meanwhile the first instance may have any number of
refusals.
Usage: order.py SOCKET FLOODING OTHER CONNECTIONS CHANGES
FLOODING and OTHER are the pids of the instances' inits.
"""
import array
import collections
import fcntl
import json
import os
import re
import select
import socket
import subprocess
import sys
import termios

BEGINNING = re.compile(rb'HTTP/1\.1 (\d+) ')


def put(key, value):
    head = f'PUT /1.0/config/guest.{key} HTTP/1.1\r\nHost: lxd\r\nContent-Length: {len(value)}\r\n\r\n'
    return (head + value).encode()


# There is no change of other keys than guest.*
REFUSED = b'PUT /1.0/config/user.other HTTP/1.1\r\nHost: lxd\r\nContent-Length: 0\r\n\r\n'
PATCH = b'PATCH /1.0 HTTP/1.1\r\nHost: lxd\r\nContent-Length: 17\r\n\r\n{"state":"Ready"}'


def give(path, count, channel):
    """Within an instance: connects, has each connection answered once, and passes all of them out."""
    made = []
    for _ in range(count):
        made.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        made[-1].connect(path)
        # This request makes the fast lane hand the connection over to the main thread, where it stays.
        made[-1].sendall(PATCH)
        if not BEGINNING.match(made[-1].recv(65536)):
            sys.exit('no answer')
    socket.send_fds(socket.socket(fileno=channel), [b'x'], [each.fileno() for each in made])
    sys.stdin.read()


def connections(init, path, count):
    ours, theirs = socket.socketpair()
    with theirs:
        entered = ['nsenter', '-t', init, '-U', '-p', '-S', '0', '-G', '0', '--']
        program = [sys.executable, '-B', __file__, 'give', path, str(count), str(theirs.fileno())]
        subprocess.Popen(entered + program, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()])
    _, descriptors, _, _ = socket.recv_fds(ours, 1, count)
    return [socket.socket(fileno=each) for each in descriptors]


def waiting(connection):
    """How many bytes have come and are not read."""
    count = array.array('i', [0])
    fcntl.ioctl(connection, termios.FIONREAD, count)
    return count[0]


def main(path, flooding, other, count, changes):
    flood = {each: b'' for each in connections(flooding, path, count)}
    [one] = connections(other, path, 1)
    for number, connection in enumerate(flood):
        pair = put('flood', str(number)) + PATCH
        connection.sendall(pair * (changes // 2))
    # Beside other work this program would see the answer late, and count what the daemon has answered since.
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    sent = {each: waiting(each) for each in flood}
    one.sendall(REFUSED)
    one.sendall(put('other', 'mine'))

    def read(connection, size):
        flood[connection] += connection.recv(size)

    def answers():
        return [status for text in flood.values() for status in BEGINNING.findall(text)]

    def statuses():
        return collections.Counter(status.decode() for status in answers())

    poll = select.poll()
    by_number = {each.fileno(): each for each in [one, *flood]}
    for number in by_number:
        poll.register(number, select.POLLIN)
    answered = None
    while answered is None or len(answers()) < count * changes:
        ready = [by_number[number] for number, _ in poll.poll()]
        if one in ready:
            there = [(each, waiting(each)) for each in flood]
            told = one.recv(65536)
            poll.unregister(one)
            for connection, size in there:
                if size > 0:
                    read(connection, size)
            answered = len(answers())
        else:
            for connection in ready:
                read(connection, 65536)
    while len(BEGINNING.findall(told)) < 2:
        told += one.recv(65536)
    other = [status.decode() for status in BEGINNING.findall(told)]
    early = sum(len(BEGINNING.findall(text[: sent[each]])) for each, text in flood.items())
    print(json.dumps({'sent': early, 'answered': answered, 'other': other, 'statuses': statuses()}))


if sys.argv[1] == 'give':
    give(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
