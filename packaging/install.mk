# SPDX-License-Identifier: GPL-2.0
#
# What is installed, and where. This is the only list: Debian's and RPM's packages are made of
# the same three targets, with DESTDIR and directories of their own.
#
#   install-daemon  vmond, vmon-keeper, units, their messages, the directory for definitions, man pages
#   install-tools   vmonctl, what its check --escape runs, its completion, its man page
#   install-dkms    the module's source for DKMS, its man page
#
# "make install" installs the first two and, in place of the third, the module for KDIR.

version := $(shell sed -n 's/^.define VMON_VERSION[[:space:]]*"\(.*\)"/\1/p' module/version.h)

DESTDIR ?=
prefix ?= /usr/local
bindir ?= $(prefix)/bin
sbindir ?= $(prefix)/sbin
pkglibdir ?= $(prefix)/lib/vmon
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
completiondir ?= $(datadir)/bash-completion/completions
unitdir ?= $(prefix)/lib/systemd/system
# systemd reads catalogs from here and nowhere else.
catalogdir ?= /usr/lib/systemd/catalog
sysconfdir ?= /etc
# DKMS looks for sources here and nowhere else.
dkmsdir ?= /usr/src/vmon-$(version)

# Files name each other by the paths that they get; $(call install-edited,MODE,FILE,TARGET)
install-edited = sed -e 's|/usr/sbin/vmond|$(sbindir)/vmond|g' -e 's|/usr/bin/vmonctl|$(bindir)/vmonctl|g' \
	-e 's|/usr/lib/vmon/restart|$(pkglibdir)/restart|g' -e 's|/usr/lib/vmon/nat|$(pkglibdir)/nat|g' \
	-e 's|@VERSION@|$(version)|g' $(2) | install -D -m $(1) /dev/stdin $(DESTDIR)$(3)

# $(call install-man,PAGE): to the section that its name ends in
install-man = $(call install-edited,644,packaging/man/$(1),$(mandir)/man$(subst .,,$(suffix $(1)))/$(1))

install: install-module install-daemon install-tools

install-module: module
	$(MAKE) -C $(KDIR) M=$(build)/module modules_install \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) INSTALL_MOD_DIR=updates
	$(call install-man,vmon.4)

install-daemon: daemon
	install -D -m 755 -t $(DESTDIR)$(sbindir) $(build)/daemon/vmond
	$(call install-edited,644,packaging/systemd/vmond.service,$(unitdir)/vmond.service)
	$(call install-edited,644,packaging/systemd/vmon@.service,$(unitdir)/vmon@.service)
	$(call install-edited,644,packaging/systemd/vmon-nat.socket,$(unitdir)/vmon-nat.socket)
	$(call install-edited,644,packaging/systemd/vmon-nat@.service,$(unitdir)/vmon-nat@.service)
	install -D -m 755 -t $(DESTDIR)$(pkglibdir) packaging/nat/nat
	install -D -m 644 -t $(DESTDIR)$(catalogdir) packaging/systemd/vmon.catalog
	install -D -m 755 -t $(DESTDIR)$(pkglibdir) $(build)/daemon/vmon-keeper
	$(call install-edited,755,packaging/upgrade/restart-if-idle,$(pkglibdir)/restart-if-idle)
	install -d -m 755 $(DESTDIR)$(sysconfdir)/vmon/guests
	$(call install-man,vmond.8)
	$(call install-man,vmon-guest.5)

# Images for guests, whatever this machine is: no programs of its own, hence not executable.
escape-images = $(patsubst selftests/guests/escape/%.c,$(build)/guests/escape/%.elf,\
	$(sort $(wildcard selftests/guests/escape/*.c)))

install-tools: daemon
	$(MAKE) -C selftests/guests escape
	install -D -m 755 -t $(DESTDIR)$(bindir) $(build)/daemon/vmonctl
	install -D -s -m 644 -t $(DESTDIR)$(pkglibdir)/escape $(escape-images)
	install -D -m 644 -t $(DESTDIR)$(completiondir) packaging/completion/vmonctl
	$(call install-man,vmonctl.1)

install-dkms:
	for file in $(module-sources); do \
		install -D -m 644 $$file $(DESTDIR)$(dkmsdir)/$$file || exit; done
	$(call install-edited,644,packaging/dkms/dkms.conf,$(dkmsdir)/dkms.conf)
	$(call install-man,vmon.4)

.PHONY: install install-module install-daemon install-tools install-dkms
