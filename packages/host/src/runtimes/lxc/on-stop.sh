#!/bin/sh
# LXC runs this when a run of an instance is over. It notes how the run ended. On "reboot" it fails, which
# keeps LXC from starting the instance by itself: the daemon starts it, with its newest configuration.
printf '%s' "${LXC_TARGET:-stop}" > "$(dirname "$LXC_CONFIG_FILE")/ending"
[ "${LXC_TARGET:-stop}" != reboot ]
