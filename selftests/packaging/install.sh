#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages in a Debian of their own: installed, tried, upgraded, removed, purged; what they
# leave behind; and the module built by DKMS for both kernels. Debian's packages, then RPM's.
#
# What is changed is changed in a layer above build/packaging/install-*, which is forgotten at the
# end. systemd does not run there: a systemctl takes notes of what it is asked, and /sys, which
# is not mounted, has the reference count that the test wants.
set -u

# --- outside: make the layer, and go there ---

outside()
{
	. "$(dirname "$0")/lib.sh"
	local base root=$work/root

	if [ "$(id -u)" != 0 ]; then
		echo '1..0 # SKIP only root can change its root'
		exit
	fi
	"$top/packaging/make-deb" >&2 && "$top/packaging/make-rpm" >&2 &&
		base=$("$top/selftests/packaging/root" install) || { echo 'Bail out! see above'; exit 1; }
	mkdir "$root" "$work/layer"
	for package in $packages; do
		files_of "$package" deb >"$work/files.$package"
	done
	export top base root work version
	unshare --mount bash -c '
		set -e
		mount -t tmpfs -o size=1G,mode=755 tmpfs "$work/layer"
		mkdir "$work/layer/upper" "$work/layer/work"
		mount -t overlay -o "lowerdir=$base,upperdir=$work/layer/upper,workdir=$work/layer/work" \
			overlay "$root"
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		mkdir "$root/test"
		cp "$top"/build/deb/vmon*[0-9a-z]_*.deb "$top"/build/rpm/*.rpm "$work"/files.* "$root/test/"
		rm -f "$root"/test/*-dbgsym_*
		cp "$top/selftests/testbed/tap.sh" "$top/selftests/packaging/install.sh" \
			"$top/packaging/debian/tests/vmonctl-and-vmond" "$root/test/"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive VERSION="$version" bash /test/install.sh inside'
	exit
}

[ "${1-}" = inside ] || outside

# --- inside ---

cd /test || exit 1
. ./tap.sh
state=/sys/module/vmon
kernels=$(cd /lib/modules && ls -d ./*/build | sed 's|^\./||; s|/build||')

# logged COMMAND...: its output is shown if it fails
logged()
{
	"$@" >log 2>&1
	status=$?
	[ "$status" = 0 ] || tail -n 30 log | tap_notes
	return "$status"
}

# All that is there, and what configuration says; not what packaging systems and depmod keep.
snapshot()
{
	find / \( -path /proc -o -path /dev -o -path /test -o -path /tmp -o -path /sys -o -path /run \
		-o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log \
		-o -path /var/lib/rpm -o -path /root/.rpmdb -o -path '/usr/lib/modules/*/modules.*' -o -path /var/lib/systemd \
		-o -path /usr/bin/systemctl \) -prune -o -printf '%p %M %u %g %l\n' | LC_ALL=C sort
	find /etc -type f -exec md5sum {} + | LC_ALL=C sort
}

# nothing_left BEFORE NAME
nothing_left()
{
	snapshot >after
	diff "$1" after >left
	tap_ok $? "$2"
	grep '^[<>]' left | head -n 20 | tap_notes
}

# What systemd is asked; is-active is true when the file "active" is there.
calls()
{
	: >calls
	cat >/usr/bin/systemctl <<-'END'
	#!/bin/sh
	case "$*" in
	*is-active*) [ -e /test/active ]; exit ;;
	*is-enabled*) echo enabled; exit ;;
	*show*|*daemon-reload*) exit 0 ;;
	esac
	echo "$*" >>/test/calls
	END
	chmod 755 /usr/bin/systemctl
	mkdir -p /run/systemd/system
}

# asked VERB: systemd was asked to do so with vmond
asked()
{
	grep -qE "(^| )$1 (.* )?vmond.service" calls
}

# references N: the module is loaded, with so many virtual machines
references()
{
	mkdir -p "$state"
	echo "$1" >"$state/refcnt"
	modinfo -k "${kernels%%$'\n'*}" -F srcversion vmon >"$state/srcversion" 2>/dev/null
}

# newer SUFFIX: the same packages with a later version, in the directory SUFFIX
newer()
{
	local deb

	mkdir "$1"
	for deb in ./*.deb; do
		rm -rf unpacked
		dpkg-deb -R "$deb" unpacked
		sed -i "s/$built/$built+$1/" unpacked/DEBIAN/control
		dpkg-deb -b unpacked "$1" >/dev/null
	done
}

apt_install()
{
	apt-get -q -y --no-install-recommends --allow-downgrades \
		-o Acquire::Retries=0 install "$@"
}

built_for()
{
	dkms status vmon/"$VERSION" -k "$1" | grep -q ': installed'
}

dkms_builds()
{
	for kernel in $kernels; do
		built_for "$kernel" || logged dkms install "vmon/$VERSION" -k "$kernel"
		built_for "$kernel" &&
			[ "$(modinfo -k "$kernel" -F version vmon)" = "$VERSION" ] &&
			modinfo -k "$kernel" -F vermagic vmon | grep -q "^$kernel "
		tap_ok $? "$1: DKMS has built the module $VERSION for $kernel"
	done
}

built=$(dpkg-deb -f ./vmon_*.deb Version)
tap_plan 29
snapshot >before

# Debian: installed where systemd does not run
logged apt_install ./*.deb
tap_ok $? 'deb: installed'
missing=''
for package in vmon vmon-tools vmon-dkms; do
	while read -r file; do
		[ -e "$file" ] || [ -e "$file.gz" ] || missing+=" $file"
	done <"files.$package"
done
[ -z "$missing" ]
tap_ok $? "deb: all files are there$missing"
[ "$(readlink -f /etc/systemd/system/multi-user.target.wants/vmond.service)" = \
	/usr/lib/systemd/system/vmond.service ]
tap_ok $? 'deb: vmond is enabled'
dkms_builds deb
logged sh ./vmonctl-and-vmond
tap_ok $? "deb: $(tail -n 1 log)"
man_page=$(dpkg -L vmon-tools | grep vmonctl.1)
zcat "$man_page" | grep -q '^\.Nm vmonctl'
tap_ok $? 'deb: the man page can be read'

# Upgraded where systemd runs. DKMS has been seen to build: not again.
touch /etc/dkms/no-autoinstall
newer a
newer b
newer c
calls
touch active
references 2
logged apt_install ./a/*.deb
tap_ok $? 'deb: upgraded while virtual machines run'
[ ! -s calls ] || ! grep -qE 'stop|restart' calls
tap_ok $? 'deb: vmond was neither stopped nor restarted'
tap_notes <calls
grep -q 'virtual machines run (2)' log
tap_ok $? 'deb: and the administrator is told'

calls
references 0
logged apt_install ./b/*.deb
tap_ok $? 'deb: upgraded while no virtual machine runs'
asked '(re)?start'
tap_ok $? 'deb: vmond was restarted'
[ "$(grep -cE '(^| )(stop|restart) ' calls)" = 1 ]
tap_ok $? 'deb: once'

# One kernel will do from here on.
set -- $kernels
mv "/lib/modules/$1/build" headers
kernels=$2
rm /etc/dkms/no-autoinstall
calls
rm active
logged apt_install ./c/*.deb
tap_ok $? 'deb: upgraded while vmond does not run'
built_for "$kernels"
tap_ok $? 'deb: DKMS has built the module of the upgrade'

# What an administrator has changed stays until the purge.
echo '# mine' >>/etc/needrestart/conf.d/vmon.conf
echo mine >/etc/vmon/guests/mine
mkdir -p /var/log/vmon && touch /var/log/vmon/mine
calls
logged apt-get -q -y remove vmon vmon-tools vmon-dkms
tap_ok $? 'deb: removed'
asked stop
tap_ok $? 'deb: vmond was stopped'
[ -z "$(dkms status vmon)" ] && ! modinfo -k "$kernels" vmon >/dev/null 2>&1
tap_ok $? 'deb: the module is gone'
[ -e /etc/vmon/guests/mine ] && grep -q '# mine' /etc/needrestart/conf.d/vmon.conf
tap_ok $? 'deb: configuration stays'
logged apt-get -q -y purge vmon vmon-tools vmon-dkms
tap_ok $? 'deb: purged'
[ -e /etc/vmon/guests/mine ] && [ ! -e /var/log/vmon ]
tap_ok $? 'deb: definitions of guests stay, their logs do not'
rm -r /etc/vmon
mv headers "/lib/modules/$1/build"
nothing_left before 'deb: nothing else is left'

# RPM's packages. Of directories, these belong to every system of RPM's.
mkdir -p /usr/share/licenses /usr/share/man/man1 /usr/share/man/man4 /usr/share/man/man5 /usr/share/man/man8 \
	/usr/lib/systemd/catalog
mv "/lib/modules/$1/build" headers
snapshot >before
rm -rf /run/systemd "$state"
logged rpm -i --nodeps ./*.rpm
tap_ok $? 'rpm: installed'
dkms_builds rpm
logged sh ./vmonctl-and-vmond
tap_ok $? "rpm: $(tail -n 1 log)"
touch /etc/dkms/no-autoinstall active
calls
references 1
logged rpm -U --nodeps --force ./*.rpm && grep -q 'virtual machines run (1)' log &&
	! grep -qE '(^| )(stop|restart|disable) ' calls
tap_ok $? 'rpm: upgraded while virtual machines run: vmond goes on'
rm /etc/dkms/no-autoinstall
built_for "$kernels"
tap_ok $? 'rpm: the module is there after an upgrade to the same version'
calls
logged rpm -e --nodeps vmon vmon-tools vmon-dkms && asked disable
tap_ok $? 'rpm: removed, and vmond stopped'
nothing_left before 'rpm: nothing is left'
tap_done
