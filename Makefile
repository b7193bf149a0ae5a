# SPDX-License-Identifier: GPL-2.0
#
# vmon's top Makefile. `make help` lists the targets.
#
# Everything is built under build/, for several kernels side by side: Kbuild compiles
# where its sources are, so each kernel gets a directory of links to them.

.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

top := $(CURDIR)
build := $(top)/build
testbed := selftests/testbed

# The kernel to build for: the running one where its headers are installed, else the
# newest that has headers.
running := /lib/modules/$(shell uname -r)/build
KDIR ?= $(if $(wildcard $(running)/Makefile),$(running),$(lastword $(shell \
	ls -d /lib/modules/*/build 2>/dev/null | sort -V)))

# Kernels that the test bed boots as hosts.
HOST_KERNELS := 6.1 6.12
HOST_KERNEL ?= 6.1
W ?= 1
C ?=

# Targets install the Debian packages that they lack, which is fast when there is
# nothing to do. DEPS= forbids it.
DEPS ?= yes

all: module daemon

# What "make install" puts where, and so what the packages hold.
include packaging/install.mk

deps:
	@packaging/deps/install $(wildcard packaging/deps/*.list)

deps-build:
	@$(if $(DEPS),packaging/deps/install packaging/deps/build.list)

deps-testbed:
	@$(if $(DEPS),packaging/deps/install packaging/deps/build.list packaging/deps/testbed.list)

deps-style:
	@$(if $(DEPS),packaging/deps/install packaging/deps/style.list)

deps-packages:
	@$(if $(DEPS),packaging/deps/install packaging/deps/build.list packaging/deps/packages.list)

deps-packages-all:
	@$(if $(DEPS),packaging/deps/install packaging/deps/build.list $(wildcard packaging/deps/packages*.list))

deps-debug:
	@$(if $(DEPS),packaging/deps/install packaging/deps/build.list packaging/deps/debug.list)

# --- the module ---

module-sources := Kbuild $(shell find module uapi -type f \( -name '*.[chS]' -o -name '*.lds' \))

# $(call build-module,DIRECTORY,KERNEL HEADERS)
define build-module
	@mkdir -p $(1)
	@find $(1) -xtype l -delete
	@cp -rsf $(top)/Kbuild $(top)/module $(top)/uapi $(1)/
	$(MAKE) -C $(2) M=$(1) W=$(W) $(if $(C),C=$(C)) modules
	@touch $(1)/vmon.ko
endef

# A module that only tests need: $(call build-test-module,DIRECTORY,KERNEL HEADERS)
define build-test-module
	@mkdir -p $(1)
	@cp -rsf $(top)/selftests/module/nmi_storm/. $(1)/
	$(MAKE) -C $(2) M=$(1) W=$(W) modules
	@touch $(1)/nmi_storm.ko
endef

$(build)/module/vmon.ko: $(module-sources) $(build)/module/.for
	@test -n "$(KDIR)" || { echo "no kernel headers found; give KDIR=..." >&2; exit 1; }
	$(call build-module,$(build)/module,$(KDIR))

# Another KDIR than last time starts from nothing.
$(build)/module/.for: FORCE
	@test "$$(cat $@ 2>/dev/null)" = "$(KDIR)" || { \
		rm -rf $(@D); mkdir -p $(@D); echo "$(KDIR)" >$@; }

module: | deps-build
	@$(MAKE) $(build)/module/vmon.ko $(if $(C),-B)

define host-module
$(build)/module-$(1)/vmon.ko: $(module-sources) $(build)/kernels/host-$(1)/release
	$$(call build-module,$(build)/module-$(1),$(build)/kernels/host-$(1)/headers)

$(build)/nmi_storm-$(1)/nmi_storm.ko: $(wildcard selftests/module/nmi_storm/*) $(build)/kernels/host-$(1)/release
	$$(call build-test-module,$(build)/nmi_storm-$(1),$(build)/kernels/host-$(1)/headers)

module-$(1): kernels
	@$$(MAKE) $(build)/module-$(1)/vmon.ko
endef
$(foreach kernel,$(HOST_KERNELS) debug,$(eval $(call host-module,$(kernel))))

# The debug host's kernel takes long to build: nothing but check-debug asks for it.
module-debug: debug-kernel

debug-kernel: deps-debug
	@$(testbed)/debug/build

# --- the daemon ---

daemon: | deps-build
	$(MAKE) -C daemon
	$(MAKE) -s -C selftests/guests escape

# --- packages ---

deb: deps-packages
	@packaging/make-deb

rpm: deps-packages-all
	@packaging/make-rpm

# --- the test bed ---

kernels: deps-testbed
	@$(testbed)/fetch

guests: $(build)/guest/initrd $(build)/guest/initrd-fidelity $(build)/guest/modules-686 \
	$(build)/guest/modules-686-pae

$(build)/guest/initrd: $(shell find selftests/guests/initramfs selftests/guests/programs -type f) $(testbed)/lib.sh | kernels
	@echo '  GUEST   $(@:$(top)/%=%)'
	@selftests/guests/initramfs/build $@

$(build)/guest/initrd-fidelity: $(build)/guest/initrd $(wildcard selftests/guests/fidelity/*)
	@echo '  GUEST   $(@:$(top)/%=%)'
	@selftests/guests/fidelity/build $< $@

$(build)/guest/modules-%: selftests/guests/initramfs/modules $(testbed)/lib.sh | kernels
	@echo '  GUEST   $(@:$(top)/%=%)'
	@selftests/guests/initramfs/modules $* $@

# What one host kernel's image consists of. A module or daemon that does not build is
# left out of the image, and the test that wants it says so.
testbed-host: kernels guests
	@$(testbed)/image $(build)/testbed/base.cpio
	@$(MAKE) -s $(build)/module-$(HOST_KERNEL)/vmon.ko >$(build)/testbed/module-$(HOST_KERNEL).log 2>&1 || { \
		rm -f $(build)/module-$(HOST_KERNEL)/vmon.ko; \
		echo "testbed: no vmon.ko, it does not build: build/testbed/module-$(HOST_KERNEL).log" >&2; }
	@$(MAKE) -s $(build)/nmi_storm-$(HOST_KERNEL)/nmi_storm.ko >$(build)/testbed/nmi_storm-$(HOST_KERNEL).log 2>&1 || { \
		rm -f $(build)/nmi_storm-$(HOST_KERNEL)/nmi_storm.ko; \
		echo "testbed: no nmi_storm.ko, it does not build: build/testbed/nmi_storm-$(HOST_KERNEL).log" >&2; }
	@$(MAKE) -s -C daemon >$(build)/testbed/daemon.log 2>&1 || \
		echo "testbed: the daemon does not build: build/testbed/daemon.log" >&2

testbed: $(addprefix testbed-,$(HOST_KERNELS))
$(addprefix testbed-,$(HOST_KERNELS)): testbed-%:
	@$(MAKE) testbed-host HOST_KERNEL=$*

# --- checks ---

unit-programs = $(shell $(MAKE) -s -C selftests/unit \
	--eval='list-programs: ; @echo $$(addprefix $$(out)/,$$(TESTS))' list-programs)
daemon-programs = 'daemon/test/run.sh $(build)/daemon' 'daemon/test/guests.sh $(build)/daemon' \
	'daemon/test/escape.sh $(build)/daemon' 'daemon/test/restart.sh $(build)/daemon' \
	daemon/test/units.sh
# Those that take seconds; check-packages runs the others, too.
packages-programs = $(addprefix selftests/packaging/,man.sh completion.sh service.sh export.sh deb.sh)
testbed-programs = $(sort $(wildcard $(testbed)/tests/*.sh))

unit: | deps-build
	$(MAKE) -C selftests/unit all

fuzzers: | deps-build
	$(MAKE) -C selftests/fuzz all

# vmond with an engine that needs no module.
daemon-tests: daemon
	$(MAKE) -C daemon $(build)/daemon/vmond-fake $(build)/daemon/bus_probe

# Programs that run in a host, with the module loaded.
module-tests: | deps-build
	$(MAKE) -C selftests/module all

# The debug host's part of it, if its kernel has been built.
testbed-if-debug: kernels
	@! $(testbed)/debug/build --cached || $(MAKE) testbed-host HOST_KERNEL=debug

check: unit fuzzers daemon-tests module-tests testbed testbed-if-debug deps-style deps-packages
	@selftests/run selftests/style/check $(unit-programs) selftests/fuzz/run $(daemon-programs) \
		$(packages-programs) $(testbed-programs)

# Style and static analysis. Headers are compiled as those of the module for 6.1 are.
check-style: deps-style module-6.1
	@selftests/run selftests/style/check

check-daemon: daemon-tests
	@selftests/run $(daemon-programs)

# The packages built, and installed, upgraded and removed in a Debian of their own, which is
# downloaded first, once.
check-packages: daemon-tests deps-packages-all kernels
	@selftests/run $(packages-programs) $(addprefix selftests/packaging/,rpm.sh install.sh)

# The service in a Debian with systemd, in QEMU, with the module and a guest.
check-service: deps-packages-all guests module-6.1
	@selftests/run selftests/packaging/systemd.sh

check-unit: unit
	@selftests/run $(unit-programs)

# FUZZ_SECONDS: how long each.
check-fuzz: fuzzers
	@selftests/run --timeout 86400 selftests/fuzz/run

check-host: testbed module-tests testbed-if-debug
	@selftests/run $(testbed-programs)

# Linux guests and what people do with vmon, in hosts in QEMU.
guest-programs = $(addprefix $(testbed)/tests/,linux-guests.sh guest-log.sh guest-clock.sh \
	two-guests.sh bad-input.sh unprotected.sh restart.sh)

check-guests: testbed
	@selftests/run $(guest-programs)

check-bochs: testbed
	@selftests/run $(testbed)/tests/bochs.sh

# The guests and the module's tests in a host whose kernel has KASAN, lockdep and the like; at
# the end of each, vmon is unloaded and what it leaked is looked for. Its kernel is
# built first, once.
debug-programs = $(addprefix $(testbed)/tests/,netlink-refusals.sh vm-run.sh faults.sh guests.sh) \
	$(testbed)/debug/linux-guest.sh
check-debug: export KERNEL = debug
check-debug: export TIMEOUT = 1500
check-debug: export WHERE = translate emulate
check-debug: debug-kernel module-tests guests
	@$(MAKE) -C selftests/guests
	@$(MAKE) testbed-host HOST_KERNEL=debug
	@selftests/run $(debug-programs)

# Guests that try to break out, in a host in Bochs.
check-escape: testbed-$(HOST_KERNEL)
	@selftests/run $(testbed)/tests/escape.sh

# Random bytes as guest code, in hosts in Bochs, for a night: what is done stays done, in
# build/stream/SEED. tests/stream.sh runs the first of them.
fuzz-stream: testbed-$(HOST_KERNEL)
	@$(testbed)/stream night $(or $(SEED),$(shell date +%Y%m%d)) $(or $(PROGRAMS),1000000)

check-stream: testbed-$(HOST_KERNEL)
	@selftests/run $(testbed)/tests/stream.sh

# What vmon costs: see selftests/bench/README.md. BENCH chooses groups.
BENCH ?=
bench: testbed-$(HOST_KERNEL)
	@$(MAKE) -C selftests/unit $(build)/unit/bt_run
	@selftests/bench/run $(BENCH)

# Instructions of the nanobenchmarks against those that are committed: a host in Bochs.
check-bench: testbed-$(HOST_KERNEL)
	@selftests/run selftests/bench/check

# From the headers of the host kernel.
check-sparse: kernels
	$(MAKE) -B $(build)/module-6.1/vmon.ko C=2

demo: kernels guests
	@$(testbed)/demo

clean:
	rm -rf $(build)/module $(addprefix $(build)/module-,$(HOST_KERNELS) debug) \
		$(addprefix $(build)/nmi_storm-,$(HOST_KERNELS) debug) $(build)/daemon \
		$(build)/deb $(build)/rpm $(build)/unit $(build)/fuzz $(build)/guest $(build)/testbed $(build)/selftests-module

distclean:
	rm -rf $(build)

help:
	@echo 'make               build vmon.ko for KDIR, vmond and vmonctl, into build/'
	@echo '                   (KDIR=$(KDIR); W=1; C=1 runs sparse)'
	@echo 'make install       module, daemon and tools, below prefix=/usr/local; DESTDIR and the'
	@echo '                   directories of packaging/install.mk can be given'
	@echo 'make deb, rpm      packages of the tree as it is, into build/deb, build/rpm'
	@echo 'make deps          install the Debian packages that building and testing need'
	@echo '                   (other targets do it themselves; DEPS= forbids it)'
	@echo 'make check         all tests; ends with: N passed, N failed, N skipped'
	@echo 'make check-unit    the unit tests alone'
	@echo 'make check-fuzz    the fuzzers alone, FUZZ_SECONDS=60 each'
	@echo 'make check-style   checkpatch --strict, clang-tidy, cppcheck, headers compiled alone'
	@echo 'make check-daemon  the daemon alone, with an engine that needs no module'
	@echo 'make check-packages  packages built, installed, upgraded, removed; DKMS'
	@echo 'make check-service the packages under systemd: a host in QEMU'
	@echo 'make check-host    the test bed alone: Debian hosts in QEMU and Bochs'
	@echo 'make check-guests  Linux guests, bad input, many VMs: hosts in QEMU'
	@echo 'make check-debug   the module in a host with KASAN, lockdep, kmemleak, injected faults'
	@echo '                   (builds that kernel first: 20 minutes, once)'
	@echo 'make check-bochs   a Linux guest with protection: a host in Bochs (10 minutes)'
	@echo 'make check-escape  guests that try to break out: a host in Bochs (5 minutes)'
	@echo 'make check-stream  random bytes as guest code: a host in Bochs (PROGRAMS=10000 SEED=1)'
	@echo 'make fuzz-stream   the same for a night (PROGRAMS=1000000 SEED=today); goes on where it was'
	@echo 'make check-bench   what events cost, in instructions, against the baseline (3 minutes)'
	@echo 'make bench         what vmon costs: a report, build/bench/report.txt (40 minutes);'
	@echo '                   BENCH="nano linux cpu peer memory" chooses'
	@echo 'make check-sparse  build the module for 6.1 under sparse'
	@echo 'make demo          run a Debian i386 guest under vmon, here if the machine can'
	@echo '                   load modules, else in an emulated Debian host'
	@echo 'make module-6.1 module-6.12   the module for the test bed'"'"'s host kernels'
	@echo 'make testbed       kernels, guests and images of the test bed'
	@echo 'make clean         remove what was built; downloads stay (distclean: all)'
	@echo
	@echo 'selftests/testbed/host -- COMMAND     run a command in an emulated Debian host'
	@echo 'selftests/testbed/native 686 full     run a test guest without vmon'

FORCE:

.PHONY: all deps deps-build deps-testbed deps-style deps-packages deps-packages-all deb rpm \
	module daemon kernels guests testbed testbed-host \
	unit fuzzers check check-unit check-fuzz check-daemon check-packages check-service \
	check-host check-guests check-bochs \
	check-escape check-stream fuzz-stream check-debug debug-kernel deps-debug module-debug testbed-if-debug \
	daemon-tests module-tests bench check-bench \
	check-sparse check-style demo clean distclean help FORCE \
	$(addprefix module-,$(HOST_KERNELS)) $(addprefix testbed-,$(HOST_KERNELS))
