# SPDX-License-Identifier: GPL-2.0-only
# mptcp-pmctl: build, test, install. `make help` lists the targets.
#
#   O=DIR      where everything built goes (default: build)
#   V=1        show commands
#   CC=clang   build with clang
#   SANITIZE=1 ASan and UBSan

O       ?= build
V       ?= 0
VERSION := 0.1.0
PREFIX  ?= /usr
SBINDIR ?= $(PREFIX)/sbin
LIBDIR  ?= $(PREFIX)/lib/mptcp-pm
MANDIR  ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/mptcp-pm
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
SYSCONFDIR ?= /etc
CLANG   ?= clang
PYTHON  ?= /usr/bin/python3

ifeq ($(V),1)
Q   :=
say  = @:
else
Q   := @
say  = @printf '  %-8s %s\n'
endif

NOCONFIG := clean help dist new-sched
ifneq ($(filter-out $(NOCONFIG),$(or $(MAKECMDGOALS),all)),)
-include $(O)/config.mk
endif

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS   ?= -O2 -g
ALL_CFLAGS := -std=gnu11 $(WARNINGS) $(CFLAGS) -Isrc -Ibpf/include -D_GNU_SOURCE \
	-DPMCTL_VERSION='"$(VERSION)"' -DPMCTL_LIBDIR='"$(LIBDIR)"' $(LIB_CFLAGS)
ifeq ($(SANITIZE),1)
ALL_CFLAGS += -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif
ALL_LDLIBS := $(LIB_LIBS)

LIB_SRC  := $(wildcard src/util/*.c src/policy/*.c src/loader/*.c src/pm/*.c src/daemon/*.c)
CLI_SRC  := $(wildcard src/cli/*.c)
TEST_SRC := $(wildcard tests/unit/test_*.c)
TOOL_SRC := $(wildcard tests/tools/*.c)
BPF_SRC  := $(wildcard bpf/sched/*.bpf.c)
OWN_SRC  := $(wildcard $(addprefix bpf/,select/*.bpf.c oracle/*.bpf.c guard/*.bpf.c establish/*.bpf.c))
BAD_SRC  := $(wildcard tests/vm/bad/*.bpf.c)

LIB_OBJ  := $(LIB_SRC:%.c=$(O)/obj/%.o)
CLI_OBJ  := $(CLI_SRC:%.c=$(O)/obj/%.o)
TESTS    := $(TEST_SRC:tests/unit/%.c=$(O)/tests/%)
TOOLS    := $(TOOL_SRC:tests/tools/%.c=$(O)/tools/%)
BPF_OBJ  := $(patsubst %.bpf.c,$(O)/bpf/%.bpf.o,$(notdir $(BPF_SRC)))
HOST_SCHED := $(patsubst bpf/sched/%.bpf.c,$(O)/tests/sched/%.so,$(wildcard bpf/sched/*.bpf.c))
# Schedulers kept elsewhere: make bpf DIR=...
DIR      ?=
DIR_SRC  := $(if $(DIR),$(wildcard $(DIR)/*.bpf.c))
DIR_OBJ  := $(patsubst %.bpf.c,$(O)/bpf/%.bpf.o,$(notdir $(DIR_SRC)))
OWN_OBJ  := $(OWN_SRC:bpf/%.bpf.c=$(O)/bpf/%.bpf.o)
BAD_OBJ  := $(BAD_SRC:tests/vm/bad/%.bpf.c=$(O)/bpf-bad/%.bpf.o)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all config userspace bpf bpf-bad tools sim unit-tests kmod new-sched schema check lint bench \
	lab shell install uninstall install-dkms dist clean help

all: userspace bpf tools schema ## build the program, the BPF schedulers, the schema and the test tools

userspace: $(O)/mptcp-pmctl
bpf: $(BPF_OBJ) $(OWN_OBJ) $(DIR_OBJ) ## build the BPF schedulers, those in DIR=... too
bpf-bad: $(BAD_OBJ)
tools: $(TOOLS)
unit-tests: $(TESTS) $(HOST_SCHED) $(O)/tests/sim

config: $(O)/config.mk ## probe the build machine
$(O)/config.mk: configure
	$(Q)./configure --output=$@

$(O)/obj/%.o: %.c | $(O)/config.mk
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/libpmctl.a: $(LIB_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/mptcp-pmctl: $(CLI_OBJ) $(O)/libpmctl.a
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS)

# A unit test may include sources of src/cli through the CLI objects without main.
$(O)/tests/%: $(O)/obj/tests/unit/%.o $(filter-out %/main.o,$(CLI_OBJ)) $(O)/libpmctl.a
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS) -lcunit

# Those of the engine share a small world of paths and a kernel that does as it is told.
ENGINE_TESTS := $(filter $(O)/tests/test_engine%,$(TESTS))
$(ENGINE_TESTS): $(O)/tests/%: $(O)/obj/tests/unit/%.o $(O)/obj/tests/unit/engine_fixture.o $(O)/libpmctl.a
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS) -lcunit

# It counts what is allocated, and lets it fail.
$(O)/tests/test_engine_scale: LDFLAGS += $(foreach f,malloc calloc reallocarray free,-Wl,--wrap=$(f))

$(O)/tools/%: $(O)/obj/tests/tools/%.o $(O)/libpmctl.a
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(ALL_LDLIBS) -lm -lpthread

# Schedulers on the host, for unit tests: the unmodified source as a shared object, with headers of
# tests/unit/bpf in the place of libbpf's. Knobs lose their `const`, so that tests can set them.
HOST_FLAGS := -Itests/unit/bpf -I$(O)/host -I.

$(O)/host/vmlinux.h: tests/unit/bpf/kernel.h
	$(Q)mkdir -p $(@D) && printf '#include "kernel.h"\n' > $@

# The headers come first because they need their `const`.
$(O)/host/%.c: bpf/sched/%.bpf.c Makefile
	$(Q)mkdir -p $(@D) && printf '#include "%s"\n' mptcp_bpf.bpf.h mptcp_arith.h > $@.new
	$(Q)printf '#define const\n#include "$<"\n' >> $@.new && mv $@.new $@

$(O)/tests/sched/%.so: $(O)/host/%.c $(O)/host/vmlinux.h | $(O)/config.mk
	$(say) HOST bpf/sched/$*.bpf.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(HOST_FLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -Wno-sign-compare -fPIC -shared -Wl,-Bsymbolic \
		-MMD -MP -MF $(O)/host/$*.d -MT $@ -o $@ $<

HOST_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(wildcard tests/unit/bpf/*.c))
HOST_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_sched*.c))
HOST_TESTS_OBJ := $(HOST_TESTS:%=$(O)/obj/tests/unit/%.o)
$(HOST_OBJ) $(HOST_TESTS_OBJ): ALL_CFLAGS := $(HOST_FLAGS) $(ALL_CFLAGS)
$(HOST_OBJ) $(HOST_TESTS_OBJ): | $(O)/host/vmlinux.h

$(HOST_TESTS:%=$(O)/tests/%): $(O)/tests/%: $(O)/obj/tests/unit/%.o $(HOST_OBJ) | $(HOST_SCHED)
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ -lcunit -ldl

SIM_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(wildcard tests/sim/*.c))
$(SIM_OBJ): ALL_CFLAGS := $(HOST_FLAGS) $(ALL_CFLAGS)
$(SIM_OBJ): | $(O)/host/vmlinux.h

sim: $(O)/tests/sim ## the simulator: replay the scenarios of the bench in seconds
$(O)/tests/sim: $(SIM_OBJ) $(filter-out %/table.o,$(HOST_OBJ)) | $(HOST_SCHED)
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ -ldl -lm

# BPF: types come from the BTF that ./configure found; CO-RE makes the objects portable.
BPF_CFLAGS := -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Ibpf/include \
	-I$(O)/bpf/include

$(O)/bpf/include/vmlinux.h: $(O)/config.mk
	$(say) BTF $@
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) btf dump file $(BTF_SOURCE) format c > $@.new && mv $@.new $@

define build_bpf
	$(say) BPF $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(LIBBPF_CFLAGS) -c $< -o $@.new
	$(Q)$(LLVM_STRIP) -g $@.new && mv $@.new $@
endef
BPF_DEPS := $(wildcard bpf/include/*.h) $(O)/bpf/include/vmlinux.h

$(BPF_OBJ): $(O)/bpf/%.bpf.o: bpf/sched/%.bpf.c $(BPF_DEPS)
	$(build_bpf)

ifneq ($(DIR_OBJ),)
$(DIR_OBJ): $(O)/bpf/%.bpf.o: $(DIR)/%.bpf.c $(BPF_DEPS)
	$(build_bpf)
endif

new-sched: ## write a scheduler to begin with to bpf/sched/, NAME=... [DIR=...]
	$(Q)scripts/new-sched '$(NAME)' $(DIR)

# Not schedulers: what the loader runs itself.
$(OWN_OBJ): $(O)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*/*.h) $(BPF_DEPS)
	$(build_bpf)

$(BAD_OBJ): $(O)/bpf-bad/%.bpf.o: tests/vm/bad/%.bpf.c $(BPF_DEPS)
	$(build_bpf)

KVER ?= $(shell uname -r)
kmod: ## build kmod/mptcp_bpf.ko for KVER=RELEASE [KDIR=...] (default: running kernel)
	$(Q)$(MAKE) --no-print-directory -C kmod KVER=$(KVER) $(if $(KDIR),KDIR=$(KDIR)) \
		O=$(abspath $(O))/kmod/$(KVER) V=$(V)

# Where editors look for it: policies/ and what is installed name it by ../schema/.
SCHEMA := schema/policy.schema.json
schema: $(SCHEMA) ## write the JSON schema of the policy language to schema/
$(SCHEMA): $(O)/mptcp-pmctl
	$(say) GEN $@
	$(Q)mkdir -p $(@D)
	$(Q)$(O)/mptcp-pmctl check --schema > $@.new && mv $@.new $@

clean: ## remove everything built
	rm -rf $(O) $(SCHEMA)

help: ## this list
	@printf 'Targets:\n'
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  \1|/' | \
		awk -F'|' '{ printf "%-16s%s\n", $$1, $$2 }'
	@printf 'Variables: O=DIR V=1 CC=clang SANITIZE=1 KVER= KDIR= NAME= DIR= DESTDIR= PREFIX= BENCH=\n'

include scripts/rules.mk
-include $(HOST_OBJ:.o=.d) $(SIM_OBJ:.o=.d) $(wildcard $(O)/host/*.d)
-include $(O)/obj/tests/unit/engine_fixture.d $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TEST_SRC:%.c=$(O)/obj/%.d) $(TOOL_SRC:%.c=$(O)/obj/%.d)
