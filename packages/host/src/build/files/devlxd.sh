#!/bin/sh
# Asks the guest API of the host: HTTP over /dev/lxd/sock. It needs only a shell and netcat (OpenBSD's, for
# -U). HTTP/1.0, because its answers end with the connection and are never chunked.

socket=${DEVLXD_SOCKET:-/dev/lxd/sock}

usage() {
  cat <<'END'
Usage: devlxd [-i] [-X METHOD] [-d BODY] [-t TAG] [-o FILE] PATH
       devlxd events [TYPES [SINCE]]

Asks the host about this instance. The answer's body is printed as it is.

  -i         print the status line and the headers too
  -X METHOD  GET when not given, PATCH with -d
  -d BODY    send this JSON or text
  -t TAG     only if the answer is another one than that with this ETag
  -o FILE    write the body to a file

  events     print changes as they happen, one JSON object a line, until killed;
             TYPES are config, device, or both with a comma; SINCE is the
             number of the event after which to begin, or now

Examples:
  devlxd /1.0                                 what the host says of this instance
  devlxd /1.0/config                          the keys it may read
  devlxd /1.0/config/user.foo                 one value
  devlxd /1.0/meta-data                       for cloud-init
  devlxd /1.0/devices                         its devices
  devlxd -d '{"state": "Ready"}' /1.0         tell the host that this instance is ready
  devlxd -o i.tar.gz /1.0/images/HASH/export  fetch an image
  devlxd events config                        follow user.* keys
  devlxd events config 17                     the same, what was missed first
  devlxd -X PUT -d up /1.0/config/guest.state       write a key of its own
  devlxd -X DELETE /1.0/config/guest.state          take it away
  devlxd -t '"..."' '/1.0/config/user.foo?wait=60'  wait for another value

Exit codes: 0 done (2xx), 2 wrong use, 3 nothing new (304), 7 no host behind /dev/lxd/sock, 18 the
answer ended early (its head, or what -o was to write), 22 the host refused (its
status is on stderr, its message is the body), 23 the file cannot be written.
END
}

fail() {
  code=$1
  shift
  echo "devlxd: $*" >&2
  exit "$code"
}

misused() {
  echo "devlxd: $*; see devlxd --help" >&2
  exit 2
}

request() {
  printf '%s %s HTTP/1.0\r\nHost: lxd\r\nConnection: close\r\n' "$method" "$path"
  [ -n "$tag" ] && printf 'If-None-Match: %s\r\n' "$tag"
  if [ -n "$sends" ]; then
    printf 'Content-Type: application/json\r\nContent-Length: %s\r\n' "$(printf %s "$body" | wc -c)"
  fi
  printf '\r\n%s' "$body"
}

# Reads the status line and the headers byte by byte, so that the whole body is left to cat.
answer() {
  cr=$(printf '\r')
  IFS= read -r line || fail 7 "no answer from $socket"
  line=${line%"$cr"}
  case $line in
    'HTTP/1.'[01]' '[1-5][0-9][0-9]*) status=${line#HTTP/1.? } ;;
    *) fail 7 "no HTTP behind $socket: $line" ;;
  esac
  length=
  while :; do
    [ -n "$headers" ] && printf '%s\r\n' "$line"
    [ -z "$line" ] && break
    IFS= read -r line || fail 18 'the answer ended early'
    line=${line%"$cr"}
    case $line in
      [Cc]ontent-[Ll]ength:*) length=${line#*:} length=${length# } ;;
      [Tt]ransfer-[Ee]ncoding:*) fail 18 'the answer is chunked, which HTTP/1.0 does not know' ;;
    esac
  done
  [ "$method" = HEAD ] || content
  case $status in
    2*) exit 0 ;;
    304*) exit 3 ;;
    *) fail 22 "the host answers $status" ;;
  esac
}

content() {
  if [ -z "$file" ]; then
    cat
    return
  fi
  cat >"$file" || fail 23 "cannot write $file"
  [ -z "$length" ] && return
  got=$(wc -c <"$file")
  [ "$got" -eq "$length" ] || fail 18 "the answer ended early: $got of $length bytes"
}

headers= method= body= sends= tag= file=
case $1 in
  --help | -h) usage; exit 0 ;;
esac
while getopts :iX:d:t:o: option; do
  case $option in
    i) headers=yes ;;
    X) method=$OPTARG ;;
    d) body=$OPTARG sends=yes ;;
    t) tag=$OPTARG ;;
    o) file=$OPTARG ;;
    :) misused "-$OPTARG needs a value" ;;
    *) misused "unknown option -$OPTARG" ;;
  esac
done
shift $((OPTIND - 1))

if [ "$1" = events ]; then
  [ "$#" -le 3 ] || misused 'events takes one list of types and one number'
  path=/1.0/events${2:+?type=$2}${3:+&since=$3}
else
  [ "$#" -eq 1 ] || misused 'one PATH is needed'
  path=/${1#/}
fi
: "${method:=${sends:+PATCH}}"
: "${method:=GET}"
case $path$method$tag in
  *[![:graph:]]*) misused 'PATH, METHOD and TAG have no spaces' ;;
esac
[ -S "$socket" ] || fail 7 "there is no $socket: is security.devlxd false?"

# In the background: a shell that waits reacts to a signal, and then ends both. netcat alone would stay until
# the host sends something. netcat must not close its half of the connection (-N): that ends a stream of
# events.
request | nc.openbsd -U "$socket" | answer &
trap 'kill %1 2>/dev/null; exit 143' TERM INT HUP
wait "$!"
code=$?
trap '' TERM
kill %1 2>/dev/null
exit "$code"
