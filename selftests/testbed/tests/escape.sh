#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests that try to break out: every attempt has the outcome that it has on a bare CPU, and
# nothing of the host's changes.
#
# The programs of selftests/guests/escape run twice, in Bochs alone and under vmon on a host in
# Bochs, by vmonctl check --escape, and must say the same: outcome and a digest of all that the
# guest can see. Under vmon the module compares what is its own after every exit.
#
# Then the test is tested: without truncated segments (parameter test_untruncated) attempts
# must fail, and check --escape must say what they changed.
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
mkdir "$work/bare" "$work/vmon" "$work/untruncated" "$work/programs"
for name in "${programs[@]}" memory; do
	strip -o "$work/programs/$name.elf" "$out/$name.elf"	# as they are installed
done

# The same programs without vmon, while the host boots.
(for name in "${programs[@]}"; do
	"$guests/run-here" bochs "$out/$name.elf" >"$work/bare/$name" 2>&1
done) &
bare=$!

parameters='' option='' want=0
[ "$emulator" = bochs ] || parameters=allow_unprotected=1 option=--unprotected want=1
"$tests/../host" --no-guests --no-build --kernel "${KERNEL:-6.1}" --emulator "$emulator" \
	--timeout "${TIMEOUT:-1500}" --file "$work/programs:/guests/escape" -- "
	show() {
		for name in /tmp/\$1/*; do
			echo begin \$1/\${name##*/}
			cat \$name
			echo end
		done
	}
	mkdir /tmp/vmon /tmp/untruncated
	vmon-up $parameters || exit
	vmonctl check --escape $option --programs /guests/escape --log /tmp/vmon \
		${programs[*]} >/tmp/vmon/check 2>&1 </dev/null
	echo status \$? >>/tmp/vmon/check
	vmonctl list >>/tmp/vmon/check
	show vmon
	kill \$(pidof vmond)
	while pidof vmond >/dev/null; do sleep 0.1; done
	rmmod vmon || exit
	echo begin vmon/log; dmesg -c | grep vmon:; echo end
	vmon-up allow_unprotected=1 test_untruncated=1 || exit
	vmonctl check --escape --unprotected --restarts 4 --programs /guests/escape \
		--log /tmp/untruncated memory >/tmp/untruncated/check 2>&1 </dev/null
	echo status \$? >>/tmp/untruncated/check
	show untruncated
	echo begin untruncated/log; dmesg | grep vmon:; echo end
	" >"$work/host" 2>&1
wait $bare
tr -d '\r' <"$work/host" | awk -v work="$work" '
	/^begin / { name = $2; next }
	/^end$/ { name = ""; next }
	{ print >(work "/" (name == "" ? "rest" : name)) }'

# gather WHERE: the output of all programs, each line after its program's name
gather()
{
	local name
	for name in "${programs[@]}"; do
		[ ! -e "$work/$1/$name" ] || sed "s/^/$name /" "$work/$1/$name"
	done
}
gather bare >"$work/bare.all"
gather vmon >"$work/vmon.all"

number=0 failed=0 known=0
# result STATUS NAME
result()
{
	number=$((number + 1))
	[ "$1" = 0 ] && echo "ok $number $2" && return
	failed=$((failed + 1))
	echo "not ok $number $2"
}

# compare: a line "ok NAME", "not ok NAME" or, for a known gap, "todo NAME" for each attempt,
# after its diagnostics
compare()
{
	# Lines are: PROGRAM [not] ok NUMBER NAME -> OUTCOME [DIGEST]
	awk -v bare="$work/bare.all" '
	$2 == "ok" || ($2 == "not" && $3 == "ok") {
		good = $2 == "ok"
		key = $1 " " (good ? $3 : $4)
		text = $0
		sub(/^[^ ]* (not )?ok [0-9]+ /, "", text)
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
	FILENAME != bare && $2 == "#" { notes[$1 " " ($3 + 0)] = notes[$1 " " ($3 + 0)] "# " $0 "\n" }
	END {
		for (i = 1; i <= n; i++) {
			key = order[i]
			name = want[key]
			sub(/ -> .*/, "", name)
			right = sane[key] && held[key] && have[key] == want[key]
			if (!right && name ~ /known gap/) {
				print "todo " program[key] ": " name
				continue
			}
			if (!right)
				printf "# bare: %s\n# vmon: %s\n%s", want[key], have[key], notes[key]
			print (right ? "ok " : "not ok ") program[key] ": " name
		}
	}' "$work/bare.all" "$work/vmon.all"
}

planned=$(sed -n 's/^[^ ]* 1\.\.\([0-9]*\)$/\1/p' "$work/bare.all" | awk '{ n += $1 } END { print n + 0 }')
echo 'TAP version 13'
echo "1..$((planned + 9))"
complete=$(grep -c '^[^ ]* 1\.\.' "$work/bare.all")
[ "$complete" = ${#programs[@]} ]
result $? 'all programs run to their end on a bare CPU'
while IFS= read -r line; do
	case $line in
	'ok '*)		result 0 "${line#ok }" ;;
	'not ok '*)	result 1 "${line#not ok }" ;;
	'todo '*)	number=$((number + 1)) known=$((known + 1))
			echo "not ok $number ${line#todo } # TODO see selftests/guests/escape/README.md" ;;
	*)		echo "$line" ;;
	esac
done < <(compare)
wrong=$failed

log=$work/vmon/log
echo '# Ring 1 is a supervisor to the paging unit: no page bit hides the monitor from a guest kernel'
echo '# there. The limits of its segments do. The module tries both when it is loaded:'
grep -o 'probe: .*' "$log" | sed 's/^/# /'
grep -q 'probe: ring 1, segment of 4 GiB: .* goes through' "$log"
result $? 'with page bits alone, a store from ring 1 reaches the monitor page'
grep -q 'probe: ring 1, segment that ends at 0xffffefff: .* #GP' "$log"
result $? 'with a truncated segment it does not'
sed 's/^/# /' "$work/vmon/check"
grep -q 'compared: nothing changed' "$work/vmon/check" &&
	! grep -q 'CHANGED' "$work/vmon/check" && ! grep -q 'has changed' "$log"
result $? 'nothing of the host has changed'
grep -q "^status $want\$" "$work/vmon/check" && grep -q '^No virtual machines' "$work/vmon/check" &&
	{ [ $want = 1 ] || grep -q '^Nothing got out: ' "$work/vmon/check"; }
result $? "check --escape says so: status $want, and leaves no VM"
changed=$(grep -c 'has changed' "$log")

log=$work/untruncated/log
echo '# The same without truncation:'
sed 's/^/# /' "$work/untruncated/memory" | cut -c 1-150
sed 's/^/# /' "$work/untruncated/check"
grep -q 'UNPROTECTED' "$log" && grep -q 'test_untruncated is set' "$log"
result $? 'the kernel log says what test_untruncated takes away'
grep -q '^not ok .*ring 0 load .* absent .* done' "$work/untruncated/memory"
result $? 'without truncated segments attempts to read succeed, and count as failed'
grep -q 'the unused part of the monitor page has changed' "$log"
result $? 'without truncated segments a store is seen by the self-check'
grep -q '^status 1$' "$work/untruncated/check" && grep -q '^UNPROTECTED: ' "$work/untruncated/check" &&
	grep -q '^SOMETHING GOT OUT: ' "$work/untruncated/check"
result $? 'and check --escape says that something got out: status 1'

[ ! -e "$work/rest" ] || sed 's/^/# /' "$work/rest"
echo "# $planned attempts: $((planned - wrong - known)) with the outcome of a bare CPU, $wrong with another," \
	"$known of a known gap; $changed changed the host"
[ $failed = 0 ]
