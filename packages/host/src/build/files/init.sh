#!/bin/sh
# PID 1 of an instance: runs /etc/rc.local once, adopts orphans, and stops at once on a signal to do so.
# Signals are those of busybox's own init and of LXC: PWR (stop the instance), USR2 (poweroff), USR1 (halt),
# TERM (reboot), INT (LXC's reboot).

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
cd /

# Asks all processes to end, waits half a second at most, and calls reboot(2), from which LXC learns whether
# to start the instance again. Processes that are still there end with this PID namespace.
leave() {
  how=$1
  trap '' PWR USR1 USR2 TERM INT HUP
  kill -TERM -1 2>/dev/null
  left=25
  while [ "$left" -gt 0 ]; do
    set -- /proc/[0-9]*
    [ "$#" -le 1 ] && break
    left=$((left - 1))
    usleep 20000
  done
  exec "$how" -f
}

trap 'leave poweroff' PWR USR2
trap 'leave halt' USR1
trap 'leave reboot' TERM INT
trap '' HUP

# LXC has set the instance's name already; /etc/hostname overrides it.
[ -s /etc/hostname ] && hostname -F /etc/hostname
[ -x /etc/rc.local ] && setsid /etc/rc.local </dev/null &

# A shell on the console, after Enter was pressed there. It waits in a shell that SIGTERM ends, so that it
# does not hold up a stop. Without a console it only sleeps.
on_console() {
  exec setsid -c sh -c '
    printf "\nPlease press Enter to activate this console.\n"
    read -r _ || exec sleep 2147483647
    exec sh -l' </dev/console >/dev/console 2>&1
}

# While the shell waits for one child, it reaps every child that ends, including orphans.
while :; do
  if [ -c /dev/console ]; then on_console & else sleep 2147483647 & fi
  wait "$!"
done
