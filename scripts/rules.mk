# SPDX-License-Identifier: GPL-2.0-only
# Targets that do not compile: checking, measuring, the lab, installing, releasing.

INSTALL  ?= install
POLICIES := $(wildcard policies/*.yaml)
MAN_SRC  := $(wildcard docs/*.[1-9])
KMOD_SRC := $(filter-out %.mod.c,$(wildcard kmod/*.c kmod/*.h kmod/*.sh kmod/*.py kmod/*.awk \
	kmod/Makefile kmod/Kbuild kmod/Kconfig kmod/dkms.conf))
DKMS_DIR  = /usr/src/mptcp-bpf-$(VERSION)
DISTNAME := mptcp-pmctl-$(VERSION)

export O

check: all bpf-bad unit-tests ## run unit, fuzz, netns, vm tests and the short bench (the last three need root)
	$(Q)rc=0; for suite in unit fuzz netns vm; do \
		[ -x tests/$$suite/run ] || continue; \
		tests/$$suite/run || rc=1; \
	done; tests/bench/run --short || rc=1; exit $$rc

lint: ## formatting, static analysis, spelling and the house rules
	$(Q)scripts/lint

bench: ## measure schedulers in a lab guest, BENCH="--rows S3,R1 --pairs 2" (needs root)
	$(Q)tests/bench/run $(BENCH)

lab: ## build or renew the lab root that guests boot from (needs root)
	$(Q)tests/vm/lab build

shell: ## a shell in a lab guest, KERNEL=RELEASE (needs root)
	$(Q)tests/vm/lab shell $(if $(KERNEL),--kernel $(KERNEL))

install: userspace bpf schema ## install below $(DESTDIR)$(PREFIX)
	$(Q)$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBDIR)/bpf/select $(DESTDIR)$(DATADIR)/policies \
		$(DESTDIR)$(DATADIR)/schema \
		$(DESTDIR)$(COMPDIR) $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8
	$(Q)$(INSTALL) -m 755 $(O)/mptcp-pmctl $(DESTDIR)$(SBINDIR)/mptcp-pmctl
	$(Q)$(if $(BPF_OBJ),$(INSTALL) -m 644 $(BPF_OBJ) $(DESTDIR)$(LIBDIR)/bpf/)
	$(Q)$(INSTALL) -m 644 $(SEL_OBJ) $(DESTDIR)$(LIBDIR)/bpf/select/
	$(Q)$(if $(POLICIES),$(INSTALL) -m 644 $(POLICIES) $(DESTDIR)$(DATADIR)/policies/)
	$(Q)$(INSTALL) -m 644 $(SCHEMA) $(DESTDIR)$(DATADIR)/schema/
	$(Q)for page in $(MAN_SRC); do \
		$(INSTALL) -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/ || exit 1; done
	$(Q)$(INSTALL) -m 644 docs/mptcp-pmctl.bash $(DESTDIR)$(COMPDIR)/mptcp-pmctl
	$(Q)$(INSTALL) -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|' data/mptcp-pm.service > $(O)/mptcp-pm.service
	$(Q)$(INSTALL) -m 644 $(O)/mptcp-pm.service $(DESTDIR)$(UNITDIR)/mptcp-pm.service
	$(Q)$(INSTALL) -m 644 data/mptcp-pm.sysusers $(DESTDIR)$(SYSUSERSDIR)/mptcp-pm.conf

install-dkms: ## put the module's sources where dkms finds them
	$(Q)$(INSTALL) -d $(DESTDIR)$(DKMS_DIR)
	$(Q)$(INSTALL) -m 644 $(KMOD_SRC) $(DESTDIR)$(DKMS_DIR)/
	$(Q)$(INSTALL) -d $(DESTDIR)$(DKMS_DIR)/include
	$(Q)$(INSTALL) -m 644 bpf/include/mptcp_bpf_view.h $(DESTDIR)$(DKMS_DIR)/include/
	$(Q)for file in $(KMOD_SRC); do [ ! -x $$file ] || \
		chmod 755 $(DESTDIR)$(DKMS_DIR)/$${file##*/} || exit 1; done
	@printf 'next: dkms install mptcp-bpf/%s\n' '$(VERSION)'

uninstall: ## remove what install and install-dkms put there
	rm -f $(DESTDIR)$(SBINDIR)/mptcp-pmctl $(DESTDIR)$(COMPDIR)/mptcp-pmctl
	rm -f $(DESTDIR)$(UNITDIR)/mptcp-pm.service $(DESTDIR)$(SYSUSERSDIR)/mptcp-pm.conf
	rm -f $(foreach p,$(MAN_SRC),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))
	rm -rf $(DESTDIR)$(LIBDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(DKMS_DIR)

dist: ## a release archive of the committed tree
	$(Q)mkdir -p $(O)
	$(Q)git archive --format=tar.gz --prefix=$(DISTNAME)/ -o $(O)/$(DISTNAME).tar.gz HEAD
	@printf '%s\n' '$(O)/$(DISTNAME).tar.gz'
