#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vmonctl check --escape, with programs that the engine without a module plays: what it makes
# of what they say, its exit status, and that no VM stays behind.
#
# A program is a Multiboot header and a script (fake_script.c).
#
# usage: escape.sh BUILD-DIRECTORY; needs root, like vmond itself.
set -u
. "$(dirname "$0")/../../selftests/testbed/tap.sh"

out=$1
dir=$(mktemp -d)
ctl=$out/vmonctl
export VMON_SOCKET=$dir/run/bus
mkdir "$dir/run" "$dir/programs"
daemon=''
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$dir"' EXIT

# daemon [protected|unprotected]: vmond anew, on a host that is so
daemon()
{
	[ -z "$daemon" ] || { kill "$daemon"; wait "$daemon"; }
	FAKE_HOST=${1-} && export FAKE_HOST
	[ -n "$FAKE_HOST" ] || unset FAKE_HOST
	"$out/vmond-fake" --runtime-dir "$dir/run" 2>>"$dir/log" &
	daemon=$!
	for _ in $(seq 50); do
		[ -S "$VMON_SOCKET" ] && "$ctl" list >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo 'Bail out! vmond-fake does not come up'
	exit 1
}

# program NAME: from stdin
program()
{
	{
		printf '\002\260\255\033\000\000\001\000\376\117\121\344'
		printf '\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\000\000\020\000'
		echo script
		cat
	} >"$dir/programs/$1.elf"
}

# check STATUS NAME [ARGUMENT...]: check --escape has this status, and has left no VM
check()
{
	local want=$1 name=$2
	shift 2
	"$ctl" check --escape --programs "$dir/programs" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status = "$want" ] && [ "$("$ctl" list)" = 'No virtual machines.' ]
	tap_ok $? "$name: status $want"
	[ $status = "$want" ] || sed 's/^/# /' "$dir/out" "$dir/err"
}

# said PATTERN NAME: a line of the last check
said()
{
	grep -Eq -e "$1" "$dir/out" "$dir/err"
	local found=$?
	[ $found = 0 ] || sed 's/^/# /' "$dir/out" "$dir/err"
	tap_ok $found "$2"
}

# says_json EXPRESSION NAME: the last check's JSON, as d
says_json()
{
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert eval("(" + sys.argv[2] + ")"), d' "$dir/out" "$1" 2>"$dir/err" || { sed 's/^/# /' "$dir/err"; false; }
	tap_ok $? "$2"
}

program good <<'END'
@1
TAP version 13
ok 1 ring 0 one -> GP 0 [12]
ok 2 ring 3 two -> done [34]
1..2
# 2 attempts, 2 as they have to be, 0 not
!compared 40 2
!exit 0
END
program gap <<'END'
@1
# 1: vector 82, not 14
not ok 1 ring 0 (known gap) load from 40000000 -> done [0]
ok 2 ring 0 two -> PF 0 [1]
1..2
!compared 7 2
!exit 0x21
END
program bad <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
# 2: vector 130, not vector 13
# 2: eax is 1, not 2
not ok 2 ring 0 two -> done [34]
1..2
!compared 40 2
!exit 0x21
END
program dies <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
!compared 10 1
!fault
@3
ok 3 ring 0 three -> GP 0 [12]
!compared 5 1
!error unsupported: 0f ff at 00100000
@5
1..4
!compared 1 0
!exit 0
END
program silent <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
!compared 10 1
!hang
@3
1..2
!exit 0
END
program unchecked <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
1..1
!compared 0 1
!exit 0
END
program unmarked <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
1..1
!compared 9 0
!exit 0
END
program changed <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
1..1
!compared 9 1
!changed 3
!exit 0
END
program holes <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
ok 4 ring 0 four -> GP 0 [12]
1..6
!compared 9 1
!exit 0
END
program twice <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
ok 1 ring 0 one -> GP 0 [12]
1..1
!compared 9 1
!exit 0
END
program empty <<'END'
@1
1..0
!compared 9 1
!exit 0
END
program late <<'END'
@1
ok 1 ring 0 one -> GP 0 [12]
1..1
!compared 9 1
!fault
END
printf '@1\nok 1 ring 0 one\nnot ok 2 \033[2Jclear \200 -> x\n1..2\n!compared 1 1\n!exit 0\n' |
	program rude
{
	for i in $(seq 30); do
		printf '@%s\n!compared 1 1\n!error nothing works\n' "$i"
	done
} | program hopeless

tap_plan 57

daemon
check 1 'a host that can run nothing' good
said 'no real module: load the real one' 'reason and remedy'
check 1 'the same with --unprotected' --unprotected good
check 1 'the same in JSON' --json good
says_json 'd["verdict"] == "refused" and d["remedy"] == "load the real one"' 'says so'

daemon unprotected
check 1 'a host without protection' good
said 'UNPROTECTED.*--unprotected' 'names the option that tries it all the same'
check 1 'with the option' --unprotected good
said '^good +2 +2 +0 +0 ' 'it is tried'
said '^UNPROTECTED: ' 'and marked UNPROTECTED'
check 1 'the same in JSON' --unprotected --json good
says_json 'd["verdict"] == "unprotected" and not d["protected"] and d["right"] == 2' 'likewise'

daemon protected
check 0 'nothing gets out' good gap
said '^good +2 +2 +0 +0  40 exits, 2 attempts compared: nothing changed' 'a row for a program'
said '^gap +2 +1 +0 +1 ' 'a known gap is counted apart'
said '^KNOWN: .*SECURITY.md' 'and explained'
said '^Nothing got out: 4 attempts of 2 programs, .* 47 exits' 'the verdict'
check 0 'in JSON' --json good gap
says_json 'd["verdict"] == "passed" and d["protected"] and d["attempts"] == 4 and d["known_gap"] == 1
	and d["exits_compared"] == 47 and [p["name"] for p in d["programs"]] == ["good", "gap"]' \
	'the same in JSON'
check 1 'an attempt with another outcome' good bad
said '^bad +2 +1 +1 +0 ' 'is counted'
said 'not ok 2 ring 0 two -> done' 'and shown'
said '^ +vector 130, not vector 13$' 'with what was wrong first'
said '^FAILED: 1 failures in 4 attempts' 'the verdict'
check 1 'machines that end in the middle of attempts' --log "$dir/logs" dies
said '^dies +4 +2 +2 +0  16 exits, 2 attempts' 'those have failed, the others are made'
said 'not ok 2 the machine ended: triple-fault' 'how the first ended'
said 'unsupported: 0f ff at 00100000' 'and the report of the second'
[ "$(grep -c '^ok' "$dir/logs/dies")" = 2 ] && grep -q '^not ok 4 the machine ended: error' "$dir/logs/dies"
tap_ok $? 'the log has all of it'
check 1 'a machine that says nothing any more' --timeout 1 silent
said 'not ok 2 the machine ended: silent for 1 s' 'is stopped'
check 1 'no comparison' unchecked
said 'compared nothing' 'is a failure'
check 1 'no attempt compared' unmarked
said 'no attempt from its begin' 'is one, too'
check 1 'a change' --json good changed
says_json 'd["verdict"] == "failed" and d["changes"] == 3 and d["failed"] == 1' 'is one, too'
check 1 'attempts without a line' holes
said '^holes +6 +2 +4 +0 ' 'have failed'
check 1 'an attempt with two lines' twice
said 'not ok 1 a second line of this attempt' 'has failed'
check 1 'a program without attempts' empty
check 1 'a machine that ends badly behind the plan' late
check 1 'a guest that speaks to the terminal' rude
said '\?\[2Jclear \? -> x' 'speaks to nobody'
check 1 'a program that no machine survives' --restarts 3 --json hopeless
says_json 'd["programs"][0]["machines"] == 4 and "given up" in d["programs"][0]["failures"][-1]["text"]' \
	'is given up'

check 1 'a program that is not there' good none
said "program 'none'.*No such file" 'is named'
check 2 'a number that is none' --restarts many
"$ctl" check --escape --programs "$dir/run" >"$dir/out" 2>"$dir/err"
[ $? = 1 ] && grep -q 'no file there ends in .elf' "$dir/err"
tap_ok $? 'a directory without programs'

mkdir -p "$dir/usr/bin" "$dir/usr/lib/vmon/escape"
cp "$ctl" "$dir/usr/bin"
cp "$dir/programs/good.elf" "$dir/usr/lib/vmon/escape"
"$dir/usr/bin/vmonctl" check --escape >"$dir/out" 2>"$dir/err"
[ $? = 0 ] && grep -q '^Nothing got out: 2 attempts of 1 programs' "$dir/out"
tap_ok $? 'programs are found where they are installed'

# begin: a check that is at its second program, and does not end; $client
begin()
{
	"$ctl" check --escape --programs "$dir/programs" good silent >"$dir/out" 2>"$dir/err" </dev/null &
	client=$!
	for _ in $(seq 50); do
		grep -q '^good' "$dir/out" && "$ctl" list | grep -q '^escape-silent' && break
		sleep 0.1
	done
}
begin
kill -INT $client
SECONDS=0
wait $client
[ $? = 1 ] && [ $SECONDS -lt 30 ] && [ "$("$ctl" list)" = 'No virtual machines.' ]
tap_ok $? 'Ctrl-C: status 1 at once, and no VM is left'
said '^Interrupted: 1 of 2 programs' 'says how far it came'
begin
kill -9 $daemon
wait $daemon 2>/dev/null
daemon=''
SECONDS=0
wait $client
[ $? = 1 ] && [ $SECONDS -lt 30 ]
tap_ok $? 'vmond dies: status 1 at once'
said 'vmond has gone' 'says so'
said '^FAILED: .*a program could not be run' 'and that nothing has been shown'
tap_done
