# Acts as systemd for the daemon: opens its sockets, passes them from descriptor 3 on, reads its messages.
# Usage: supervisor.py GUEST_SOCKET HOST_SOCKET COMMAND...
#   Reads `start` and `signal NAME` on standard input; prints `listening`, `pid N`, each line of the daemon's
#   messages, `exited N`. At the end of its input it kills the daemon.
import os, signal, socket, sys, tempfile, threading

guest_path, host_path, *command = sys.argv[1:]
folder = tempfile.mkdtemp(dir='/var/tmp')
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(folder + '/notify')
sockets = []
for path in (guest_path, host_path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(4096)
    sockets.append(listener)
child = 0
running = False


def say(text):
    print(text, flush=True)


def hear():
    while True:
        for line in notify.recv(65536).decode().split('\n'):
            say(line)


def start():
    global child, running
    running = True
    child = os.fork()
    if child == 0:
        # First to high numbers, so that a copy to 3 or 4 overwrites none of them.
        away = [os.dup2(each.fileno(), 100 + index) for index, each in enumerate(sockets)]
        for index, fd in enumerate(away):
            os.dup2(fd, 3 + index)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='guest:host',
                          NOTIFY_SOCKET=folder + '/notify', WATCHDOG_USEC='40000')
        os.closerange(5, 200)
        os.execv(command[0], command)
    say(f'pid {child}')
    threading.Thread(target=reap, args=(child,), daemon=True).start()


def reap(pid):
    global running
    _, status = os.waitpid(pid, 0)
    running = False
    say(f'exited {os.waitstatus_to_exitcode(status)}')


threading.Thread(target=hear, daemon=True).start()
say('listening')
for line in sys.stdin:
    word, *more = line.split()
    if word == 'start':
        start()
    else:
        os.kill(child, getattr(signal, more[0]))
if running:
    os.kill(child, signal.SIGKILL)
os.unlink(folder + '/notify')
os.rmdir(folder)
