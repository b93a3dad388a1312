# `porthole oci-hook` and `porthole lxc-hook` read this script. It leaves a request for the daemon, and waits for the
# answer. It is a shell script, because a program in Node would take several times as long to start. An OCI runtime
# writes the state of the container to standard input. LXC puts facts about the container into the environment.
PATH=${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}
export PATH
state=${PORTHOLE_DIR:-/var/lib/porthole}
kind=
required=
usage() {
  cat <<'END'
Usage: porthole oci-hook createRuntime|poststop [--state-dir DIR] [--required]
       porthole lxc-hook [--state-dir DIR] [--required]

These hooks turn containers of other runtimes into instances. `porthole setup` writes them into the
configuration of container managers, which run them. You need not type them.

  oci-hook      for OCI runtimes, which write the state of the container to standard input
  lxc-hook      for LXC's hooks start-host and post-stop
  --state-dir   the state directory of the daemon
  --required    the container does not start while the daemon does not run; without it, the next daemon
                adopts the container
END
}
while [ $# -gt 0 ]; do
  case $1 in
    --state-dir) state=${2-}; shift ;;
    --state-dir=*) state=${1#*=} ;;
    --required) required=1 ;;
    --help | -h) usage; exit 0 ;;
    createRuntime | poststop | start-host | post-stop) kind=$1 ;;
    # LXC adds the name of the container and a word before the kind of the hook.
    *) [ -n "${LXC_NAME-}" ] || { echo "porthole: unknown argument of a hook: $1" >&2; exit 2; } ;;
  esac
  shift
done
if [ -z "$kind" ]; then
  usage >&2
  exit 2
fi
# Seconds. If the daemon does not answer within this time, the hook continues as if no daemon ran.
patience=20
umask 077
folder=$state/hooks
# Rootless: the user is uid 0 in a user namespace. If root has allowed the user, there is a folder for the user.
if [ -d "$folder" ] && ! [ -w "$folder" ]; then
  read -r _ uid _ < /proc/self/uid_map
  [ "$uid" != 0 ] || uid=$(id -u)
  folder=$state/claims/$uid
  if [ -x "$folder" ] && ! [ -w "$folder" ]; then
    echo "porthole: no daemon runs for $state, so this container is not adopted" >&2
    case $kind in *stop) exit 0 ;; esac
    [ -z "$required" ] || exit 1
    exit 0
  fi
  if ! [ -w "$folder" ]; then
    echo "porthole: root has not allowed containers of uid $uid; see the setting rootless-uids" >&2
    exit 1
  fi
fi
read -r uptime < /proc/uptime
read -r boot < /proc/sys/kernel/random/boot_id
# Another hook may have the same pid, later or in another PID namespace.
request=$folder/$$-${uptime%% *}.request
reply=${request%.request}.reply

# A quick check. It is wrong if another process has the daemon's pid now.
may_run() {
  # Users other than root cannot read the file.
  [ -r "$state/lock" ] || return 0
  read -r pid < "$state/lock" && kill -0 "$pid" 2>/dev/null
}

# A slower check, which is never wrong: the daemon keeps this file open until it ends. Locking the file would tell too,
# but it could stop a new daemon from starting.
runs() {
  may_run && [ -r "$state/lock" ] || return 1
  for open in /proc/"$pid"/fd/*; do
    if [ "$open" -ef "$state/lock" ]; then return 0; fi
  done
  return 1
}

without_daemon() {
  rm -f "$reply"
  # The next daemon carries out the request.
  case $kind in *stop) exit 0 ;; esac
  [ -n "$required" ] || exit 0
  rm -f "$request"
  echo "porthole: the daemon for $state does not answer, so this container is not adopted" >&2
  exit 1
}

if ! [ -d "$folder" ]; then
  [ -n "$required" ] || exit 0
  echo "porthole: no daemon has ever used the state directory $state" >&2
  exit 1
fi
# For a disk that is full or read-only.
unwritable() {
  rm -f "$reply" "$request"
  echo "porthole: $folder cannot be written to, so this container is not adopted" >&2
  case $kind in *stop) exit 0 ;; esac
  [ -z "$required" ] || exit 1
  exit 0
}

mkfifo "$reply" 2> /dev/null || unwritable
# The daemon reads the request when its last line is there. The hook writes the request before it checks whether a
# daemon runs. So a daemon that starts in between finds the request.
if ! {
  printf '%s\n%s\n%s\n' "$kind" "$uptime" "$boot"
  case $kind in
    start-host | post-stop) printf '%s\n' "$LXC_NAME" "${LXC_PID:-0}" "$LXC_CONFIG_FILE" ;;
    *) while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done ;;
  esac
  echo end
} > "$request" 2> /dev/null; then unwritable; fi
may_run || without_daemon
waited=0
while [ "$waited" -lt "$patience" ]; do
  # The waits are short, because the daemon may end meanwhile. It removes the pipe when it has answered. If it is killed
  # before it answers, the hook reads nothing, and the next daemon answers.
  if answer=$(timeout 2 cat "$reply") && [ -n "$answer" ]; then
    [ "$answer" = ok ] && exit 0
    echo "porthole: this container is not adopted: $answer" >&2
    exit 1
  fi
  runs || without_daemon
  waited=$((waited + 2))
done
without_daemon
