#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The systemd units and the journal's catalog: units expose little, systemd understands them, and
# each message that is logged is explained.
#
# usage: units.sh

top=$(cd "$(dirname "$0")/../.." && pwd)
units=$top/packaging/systemd
n=0
failed=0

result() { # status, name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		failed=$((failed + 1))
	fi
}

skip() { # name, reason
	n=$((n + 1))
	echo "ok $n $1 # SKIP $2"
}

echo "TAP version 13"
for unit in vmond.service vmon@.service; do
	if ! command -v systemd-analyze >/dev/null; then
		skip "$unit" "no systemd-analyze"
		continue
	fi
	systemd-analyze --no-pager security --offline=true --threshold=20 "$units/$unit" |
		sed -n 's/^[^ ]* Overall/# Overall/p'
	systemd-analyze --no-pager security --offline=true --threshold=20 "$units/$unit" >/dev/null
	result $? "$unit exposes 2.0 at most"
	# Programs and man pages are installed elsewhere, if at all.
	found=$(systemd-analyze --no-pager verify "$units/$unit" 2>&1 |
		grep -E "vmon(d|@)" | grep -vE "is not executable|'man |vmond.service: .*not found")
	[ -z "$found" ] || echo "$found" | sed 's/^/# /'
	[ -z "$found" ]
	result $? "$unit has nothing that systemd does not know"
done

sed -n 's/^#define MESSAGE_[A-Z_]*[[:space:]]*"\([0-9a-f]*\)"$/\1/p' \
	"$top/daemon/common/messages.h" | sort >"/tmp/ids.$$"
sed -n 's/^-- \([0-9a-f]*\)$/\1/p' "$units/vmon.catalog" | sort >"/tmp/catalog.$$"
[ -s "/tmp/ids.$$" ] && cmp -s "/tmp/ids.$$" "/tmp/catalog.$$"
result $? "every message has its entry in the catalog, and the other way round"
! grep -vqE '^[0-9a-f]{32}$' "/tmp/ids.$$" && [ -z "$(uniq -d "/tmp/ids.$$")" ]
result $? "message IDs are 128 bits, and differ"
rm -f "/tmp/ids.$$" "/tmp/catalog.$$"

if command -v journalctl >/dev/null; then
	root=$(mktemp -d)
	mkdir -p "$root/usr/lib/systemd/catalog" "$root/var/lib/systemd/catalog"
	cp "$units/vmon.catalog" "$root/usr/lib/systemd/catalog"
	journalctl --root="$root" --update-catalog >/dev/null 2>&1 &&
		[ "$(journalctl --root="$root" --list-catalog 2>/dev/null | grep -c vmon:)" = \
		  "$(grep -c '^-- ' "$units/vmon.catalog")" ]
	result $? "the journal reads the catalog"
	rm -rf "$root"
else
	skip "the journal reads the catalog" "no journalctl"
fi
echo "1..$n"
exit $failed
