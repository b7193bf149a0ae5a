#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# An NMI at every instruction of the world switch, one after the other.
#
# QEMU's debugger interface stops the machine exactly before an instruction, its
# monitor injects an NMI there, and the NMI must reach the host's handler before
# anything else is tried. Which instructions there are is found by stepping through
# runs of the switch, so that alternatives are those that this CPU executes.
#
# The host's command (nmi-windows.sh) prints "SYMBOL address" lines, "READY", then runs
# guests until nmi_storm_done is set, and prints what became of them.
#
# usage: nmi-windows.pl CONTROL-DIRECTORY HOST-COMMAND...
use strict;
use warnings;
no warnings 'portable';
use IO::Select;
use IO::Socket::UNIX;

my ($control, @host) = @ARGV;
my $traces = $ENV{TRACES} || 12;
my $patience = $ENV{PATIENCE} || 10;
my (%sym, $tests, $failed, $pid, $out);
$| = 1;

sub ok
{
	my ($good, $name) = @_;

	$tests++;
	$failed++ unless $good;
	print(($good ? '' : 'not '), "ok $tests $name\n");
}

sub give_up
{
	print "# $_[0]\n";
	ok(0, 'the machine could be watched to the end');
	print "1..$tests\n";
	kill 'TERM', $pid if $pid;
	exit 1;
}

# --- the debugger's interface: gdb's remote protocol ---

my ($gdb, $buffer) = (undef, '');

sub send_packet
{
	my ($data) = @_;
	my $sum = unpack('%8C*', $data);

	syswrite($gdb, sprintf('$%s#%02x', $data, $sum));
}

# The next packet's data, or nothing after so many seconds.
sub receive
{
	my ($seconds) = @_;
	my $select = IO::Select->new($gdb);
	my $end = time + $seconds;

	for (;;) {
		if ($buffer =~ s/^[^\$]*\$([^#]*)#..//s) {
			syswrite($gdb, '+');
			return $1;
		}
		return undef if time > $end || !$select->can_read($end - time + 1);
		sysread($gdb, $buffer, 4096, length $buffer) or give_up('the machine went away');
	}
}

sub ask
{
	my ($data) = @_;

	send_packet($data);
	return receive(20) // give_up("the debugger does not answer '$data'");
}

sub breakpoint { ask(sprintf('Z1,%x,1', $_[0])) eq 'OK' or give_up('no breakpoint') }
sub unbreak { ask(sprintf('z1,%x,1', $_[0])) }

sub number { return unpack('Q<', pack('H16', $_[0])) }
sub pc { return number(ask('p10')) }
sub sp { return number(ask('p7')) }
sub cs { return hex substr(ask('p12'), 0, 2) }
sub word { return number(ask(sprintf('m%x,8', $_[0]))) }

sub proceed
{
	my ($seconds) = @_;

	send_packet('c');
	return 1 if defined receive($seconds);
	# Stop it, to be asked about something else.
	syswrite($gdb, "\x03");
	receive(20) // give_up('the machine does not stop');
	return 0;
}

sub run_to
{
	my ($where, $seconds) = @_;

	breakpoint($where);
	my $there = proceed($seconds // $patience) && pc() == $where;
	unbreak($where);
	return $there;
}

# On for a moment: another guest, another kind of exit may come.
sub let_run
{
	send_packet('c');
	select(undef, undef, undef, 0.05 + rand $_[0]);
	syswrite($gdb, "\x03");
	receive(20) // give_up('the machine does not stop');
}

# --- the monitor ---

my $qmp;

sub monitor
{
	my ($command) = @_;

	syswrite($qmp, "{\"execute\":\"$command\"}\n");
	while (defined(my $line = <$qmp>)) {
		return if $line =~ /"return"/;
		give_up("monitor: $line") if $line =~ /"error"/;
	}
	give_up('the monitor went away');
}

sub attach
{
	$gdb = IO::Socket::UNIX->new(Peer => "$control/gdb") or give_up("no debugger: $!");
	$qmp = IO::Socket::UNIX->new(Peer => "$control/qmp") or give_up("no monitor: $!");
	monitor('qmp_capabilities');
	# Connecting stops the machine, which is reported unasked.
	receive(1);
	ask('?');
	# Single registers are for those who have asked how they are described.
	ask('qXfer:features:read:target.xml:0,ff0');
}

# --- the switch ---

# Of the module, which is ours alone up there but for the handler; and not the guest's.
sub in_module { return $_[0] >= 0xffffffffc0000000 && $_[0] < 0xffffffffff000000 }
sub in_text { return $_[0] >= $sym{vmon_switch_text} && $_[0] < $sym{vmon_switch_text_end} }

# One run of the switch, instruction by instruction: adds to %$seen.
sub trace
{
	my ($seen) = @_;
	my @gates = ((map { $sym{vmon_vectors} + 16 * $_ } 0 .. 255), $sym{vmon_nmi});

	run_to($sym{vmon_world_run}) or give_up('vmon_world_run is not reached');
	my $back = word(sp());
	my $pc = pc();
	my $last = 0;

	while ($pc != $back) {
		if ($pc < 1 << 32) {
			$seen->{entered}{$last} = 1;
			breakpoint($_) for @gates;
			my $left = proceed($patience);
			unbreak($_) for @gates;
			give_up('the guest does not come back') unless $left;
		} elsif (!in_module($pc)) {
			run_to(word(sp())) or give_up('a function does not return');
		} else {
			$seen->{pc}{$pc} = 1;
			send_packet('s');
			receive(20) // give_up('no step');
		}
		$last = $pc;
		$pc = pc();
	}
}

# Stopped where an NMI is wanted. Return: where the host's handler says that it came,
# nothing if it does not come.
sub inject
{
	monitor('inject-nmi');
	return undef unless run_to($sym{nmi_storm_handler});
	return word(number(ask('p4')) + 128);	# struct pt_regs, ip
}

sub at_each
{
	my @all = sort { $a <=> $b } @_;
	my ($at_once, @noted, @lost, @unreached) = (0);

	my @todo = @all;
	my $again = 6;
	while (defined(my $where = shift @todo)) {
		unless (run_to($where)) {
			printf STDERR "%d not now: %s\n", time, place($where) if $ENV{DEBUG};
			# The guest of the moment may not lead here: later.
			push @{$again-- > 0 ? \@todo : \@unreached}, $where;
			next;
		}
		my $came = inject();
		printf STDERR "%d %s\n", time, place($where) if $ENV{DEBUG};
		if (!defined $came) {
			push @lost, $where;
			last;
		}
		$came == $where ? $at_once++ : push @noted, $where;
	}
	my $text = grep { in_text($_) } @all;
	printf "# %d instructions, %d of them in entry.S: NMI served at once at %d, noted and raised again at %d\n",
	       scalar @all, $text, $at_once, scalar @noted;
	printf "# not reached again: %s\n", join ' ', map { place($_) } @unreached if @unreached;
	printf "# lost: %s\n", join ' ', map { place($_) } @lost if @lost;
	ok(@all > 150 && $text > 90, 'the switch has been stepped through');
	ok(!@lost && $at_once + @noted == @all - @unreached, 'no NMI is lost at any instruction');
	ok(@unreached <= @all / 10, 'nine of ten instructions are reached again');
	ok(@noted >= 60, 'in the windows it is noted, and raised again');
	return grep { in_text($_) } @noted;
}

sub place
{
	my ($pc) = @_;

	return sprintf('switch+%#x', $pc - $sym{vmon_switch_text}) if in_text($pc);
	return sprintf('world_run%+d', $pc - $sym{vmon_world_run});
}

# In the guest, in its kernel and in its user code: behind the IRETQs that lead there.
sub in_guest
{
	my ($count, @iret) = @_;
	my %ring = (1 => 0, 3 => 0);
	my $lost = 0;

	for (1 .. 200) {
		last if $lost || ($ring{1} >= $count && $ring{3} >= $count);
		run_to($iret[$_ % @iret]) or next;
		send_packet('s');
		receive(20) // give_up('no step');
		pc() < 1 << 32 or next;
		my $ring = cs() & 3;
		if ($ring{$ring} >= $count) {
			let_run(0.2);
			next;
		}
		defined inject() ? $ring{$ring}++ : $lost++;
	}
	print '# in the guest: ', join(', ', map { "$ring{$_} at ring $_" } sort keys %ring), "\n";
	ok(!$lost && $ring{1} && $ring{3}, 'no NMI is lost in the guest');
}

# A second one while the first is noted: at each instruction of the path that notes it.
sub nested
{
	my ($where) = @_;
	my $how = place($where);
	my (%seen, $lost, $pc);

	run_to($where) or return ok(0, "nested: $how is reached");
	monitor('inject-nmi');
	run_to($sym{vmon_nmi}) or return ok(0, "nested: a note is taken at $how");
	for ($pc = pc(); in_text($pc) && keys %seen < 60; $pc = pc()) {
		last if $seen{$pc}++;
		send_packet('s');
		receive(20) // give_up('no step');
	}
	run_to($sym{nmi_storm_handler}) or return ok(0, "nested: the NMI at $how is served");
	for my $second (sort { $a <=> $b } keys %seen) {
		printf STDERR "%d nested %s %s\n", time, $how, place($second) if $ENV{DEBUG};
		run_to($where) or next;
		monitor('inject-nmi');
		run_to($second) or next;
		defined inject() or $lost = $second;
		last if $lost;
	}
	printf "# after one at %s: a second NMI at %d instructions\n", $how, scalar keys %seen;
	ok(!$lost && keys %seen > 10, "no NMI is lost while another is being noted, $how");
}

# --- the run ---

$pid = open($out, '-|', @host) or die "cannot run $host[0]: $!";
while (defined(my $line = <$out>)) {
	$line =~ s/\r?\n//;
	$sym{$1} = hex $2 if $line =~ /^SYMBOL (\S+) ([0-9a-f]+)$/;
	last if $line eq 'READY';
	print "# $line\n" unless $line =~ /^SYMBOL/;
}
print "TAP version 13\n";
for (qw(vmon_switch_text vmon_switch_text_end vmon_world_run vmon_nmi vmon_vectors
	nmi_storm_handler nmi_storm_done)) {
	give_up("the host does not say where $_ is") unless $sym{$_};
}
attach();
my %seen;
for (1 .. $traces) {
	trace(\%seen);
	let_run(0.3);
}
my @iret = grep { in_text($_) } keys %{$seen{entered}};
my @noted = at_each(keys %{$seen{pc}});
in_guest(20, @iret) if @iret;
# On the host's TSS, on the monitor's with the guest's tables, and on the way out.
nested($_) for @noted > 10 ? @noted[1, @noted / 3, @noted - 8] : ();
ask(sprintf('M%x,4:01000000', $sym{nmi_storm_done}));
ask('D');
while (defined(my $line = <$out>)) {
	$line =~ s/\r?\n//;
	print "# $line\n";
}
close $out;
my $status = $? >> 8;
ok($status == 0, "the guests end as they should, and the host is alive (status $status)");
print "1..$tests\n";
exit($failed ? 1 : 0);
