#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests that try to break out: every attempt has the outcome that it has on a bare CPU, and
# nothing of the host's changes.
#
# The programs of selftests/guests/escape run twice, in Bochs alone and under vmon on a host in
# Bochs, and must say the same: outcome and a digest of all that the guest can see. Under vmon
# the module compares what is its own after every exit (parameter selfcheck).
#
# usage: escape.sh [PROGRAM...]
# Environment: EMULATOR (bochs), KERNEL (6.1)
set -u
tests=$(cd "$(dirname "$0")" && pwd)
guests=$tests/../../guests
out=$tests/../../../build/guests/escape
emulator=${EMULATOR:-bochs}

make -s -C "$guests" >&2 || { echo 'Bail out! the guests do not build'; exit 1; }
programs=("$@")
if [ ${#programs[@]} = 0 ]; then
	for source in "$guests"/escape/*.c; do
		source=${source##*/}
		programs+=("${source%.c}")
	done
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The same programs without vmon, while the host boots.
(for name in "${programs[@]}"; do
	"$guests/run-here" bochs "$out/$name.elf" >"$work/$name.bare" 2>&1
done) &
bare=$!

parameters=selfcheck=1
[ "$emulator" = bochs ] || parameters+=' allow_unprotected=1'
"$tests/../host" --no-guests --no-build --kernel "${KERNEL:-6.1}" --emulator "$emulator" \
	--timeout "${TIMEOUT:-900}" --file "$out:/guests/escape" \
	--file "$guests/run-escape:/root/run-escape" -- "
	vmon-up $parameters || exit
	sh /root/run-escape ${programs[*]}
	dmesg | grep vmon: | sed 's/^/log /'" >"$work/host" 2>&1
wait $bare
tr -d '\r' <"$work/host" | awk -v work="$work" '
	/^begin / { name = $2; next }
	/^end / { name = ""; next }
	{ print >(work "/" (name == "" ? "rest" : name ".vmon")) }'
for name in "${programs[@]}"; do
	touch "$work/$name.bare" "$work/$name.vmon"
	sed "s/^/$name /" "$work/$name.bare"
	sed "s/^/$name /" "$work/$name.vmon" >&3
done 3>"$work/vmon" >"$work/bare"

# Line by line: "PROGRAM [not] ok NUMBER NAME -> OUTCOME [DIGEST]".
awk -v bare="$work/bare" '
function attempt(    i)
{
	i = $2 == "not" ? 4 : 3
	key = $1 " " $i
	text = $0
	sub(/^[^ ]* (not )?ok [0-9]+ /, "", text)
	good = $2 == "ok"
}
$2 == "ok" || ($2 == "not" && $3 == "ok") {
	attempt()
	if (FILENAME == bare) {
		order[++n] = key
		program[key] = $1
		want[key] = text
		sane[key] = good
	} else {
		have[key] = text
		held[key] = good
	}
	next
}
$2 ~ /^1\.\./ { if (FILENAME == bare) planned += substr($2, 4) }
FILENAME != bare && $2 == "#" { notes[$1 " " ($3 + 0)] = notes[$1 " " ($3 + 0)] "# " $0 "\n" }
FILENAME != bare && /selfcheck/ { changed++; print "# " $0 }
END {
	print "TAP version 13"
	print "1.." n + 1
	print (n && n == planned ? "ok" : "not ok") " 1 all programs run to their end on a bare CPU"
	for (i = 1; i <= n; i++) {
		key = order[i]
		name = want[key]
		sub(/ -> .*/, "", name)
		right = sane[key] && held[key] && have[key] == want[key]
		if (right)
			same++
		else
			printf "# bare: %s\n# vmon: %s\n%s", want[key], have[key], notes[key]
		print (right ? "ok" : "not ok") " " i + 1 " " program[key] ": " name
	}
	printf "# %d attempts: %d with the outcome of a bare CPU, %d with another; %d changed the host\n",
		n, same, n - same, changed
}' "$work/bare" "$work/vmon" | tee "$work/tap"
sed 's/^/# /' "$work/rest" 2>/dev/null
! grep -q '^not ok' "$work/tap"
