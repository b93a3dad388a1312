"""A file system that stops answering: its root has folders of some names.

deaf.py POINT NAMES ANSWERS [INIT [OVERLAY]]: the first ANSWERS lookups of these names are answered; later ones
are read and held. The word "answer" on standard input answers all held lookups. With INIT it enters the mount
namespace of that process first; with OVERLAY the file system becomes a lower layer of an overlay there.
"""
import ctypes
import errno
import os
import select
import stat
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x20000
LOOKUP, FORGET, GETATTR, STATFS, INIT, READDIR, INTERRUPT, BATCH_FORGET = 1, 2, 3, 17, 26, 28, 36, 42
SILENT = (FORGET, INTERRUPT, BATCH_FORGET)


def checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def mount(source, target, kind, options):
    data = options.encode()
    checked(libc.mount(source.encode(), target.encode(), kind.encode(), 0, data))


def attributes(node):
    times = (0,) * 3
    return struct.pack('<6Q10I', node, 0, 0, *times, *times, stat.S_IFDIR | 0o755, 2, 0, 0, 0, 4096, 0)


class Deaf:
    def __init__(self, device, names, answers):
        self.device, self.names, self.answers = device, names.encode().split(b','), answers
        self.held = []

    def reply(self, unique, error=0, data=b''):
        try:
            os.write(self.device, struct.pack('<IiQ', 16 + len(data), -error, unique) + data)
        except OSError:
            pass  # The process that asked has been killed.

    def found(self, unique):
        # Valid for no time, so that the kernel asks each time.
        self.reply(unique, 0, struct.pack('<4Q2I', 2, 0, 0, 0, 0, 0) + attributes(2))

    def answer_held(self):
        for unique in self.held:
            self.found(unique)
        self.held = []

    def lookup(self, unique, name):
        if name not in self.names:
            return self.reply(unique, errno.ENOENT)
        if self.answers > 0:
            self.answers -= 1
            return self.found(unique)
        self.held.append(unique)
        print('held', flush=True)

    def serve(self):
        request = os.read(self.device, 1 << 20)
        _, code, unique, node = struct.unpack_from('<IIQQ', request)
        if code in SILENT:
            return
        if code == INIT:
            self.reply(unique, 0, struct.pack('<4I2H2I2H8I', 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, *(0,) * 8))
        elif code == LOOKUP:
            self.lookup(unique, request[40:].rstrip(b'\0'))
        elif code == GETATTR:
            self.reply(unique, 0, struct.pack('<Q2I', 0, 0, 0) + attributes(node))
        elif code == STATFS:
            self.reply(unique, 0, struct.pack('<5Q10I', 0, 0, 0, 0, 0, 4096, 255, 4096, *(0,) * 7))
        elif code == READDIR:
            self.reply(unique)
        else:
            self.reply(unique, errno.ENOSYS)


def main(point, names, answers, init=None, overlay=None):
    if init:
        with open(f'/proc/{init}/ns/mnt') as namespace:
            checked(libc.setns(namespace.fileno(), CLONE_NEWNS))
    device = os.open('/dev/fuse', os.O_RDWR)
    os.makedirs(point, exist_ok=True)
    options = f'fd={device},rootmode=40000,user_id=0,group_id=0,allow_other'
    mount('deaf', point, 'fuse', options)
    deaf = Deaf(device, names, int(answers))
    deaf.serve()
    ready, told = os.pipe()
    if os.fork() == 0:
        # The mount itself makes requests, which the parent answers.
        if overlay:
            os.makedirs(f'{point}-none', exist_ok=True)
            mount('deaf', overlay, 'overlay', f'lowerdir={point}:{point}-none,userxattr')
        os.write(told, b'1')
        os._exit(0)
    files = [device, sys.stdin, ready]
    while True:
        for file in select.select(files, [], [])[0]:
            if file == ready:
                os.read(ready, 1)
                files.remove(ready)
                print('ready', flush=True)
            elif file == device:
                deaf.serve()
            elif sys.stdin.readline().strip() == 'answer':
                deaf.answer_held()
            else:
                return


main(*sys.argv[1:])
