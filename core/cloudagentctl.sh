#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The on-demand contract: cloudagentctl.sh action=demand type=inv cputhrottle=0
#                         cloudagentctl.sh show type
sonde=${0%/*}/sonde
[ -x "$sonde" ] || sonde=@bindir@/sonde
[ -x "$sonde" ] || sonde=sonde

case "$*" in
"show type") exec "$sonde" apps ;;
*=*) exec "$sonde" demand -- "$@" ;;
esac
echo "Usage: cloudagentctl.sh action=demand type=APP [cputhrottle=0-1000] | show type" >&2
exit 64
