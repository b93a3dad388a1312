#!/bin/sh
# LXC runs this when all of an instance's run is over. It notes how the run ended. Failing on "reboot" makes
# LXC stop instead of starting the instance by itself: the daemon starts it, with its newest configuration.
printf '%s' "${LXC_TARGET:-stop}" > "$(dirname "$LXC_CONFIG_FILE")/ending"
[ "${LXC_TARGET:-stop}" != reboot ]
