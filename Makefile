# Makefile - builds, tests, installs.  `make help` lists what there is.
#
# Sources are found by wildcard: adding a file is adding a file.  Variants live
# in folders of their own: make CC=clang BUILD=build/clang, make SAN=address,undefined
# BUILD=build/san.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
OS := $(shell uname -s | tr A-Z a-z)
VERSION := $(shell cat VERSION)
T ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

ifeq ($(origin CC),default)
CC := $(shell command -v gcc >/dev/null 2>&1 && echo gcc || echo clang)
endif
KIND := $(if $(findstring clang,$(CC)),clang,gcc)

# ---- flags -------------------------------------------------------------------

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wundef -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Walloca -Wcast-qual -Wcast-align \
	-Wwrite-strings -Wpointer-arith -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough \
	-Wnull-dereference -Wdouble-promotion -Wunused-macros -Wframe-larger-than=4096 -Wdate-time \
	-Wredundant-decls -Wfloat-equal
WARN_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init \
	-Wformat-signedness -Warith-conversion -Woverride-init -Wtrampolines
WARN_clang := -Wcomma -Wconditional-uninitialized -Wmissing-variable-declarations \
	-Wextra-semi-stmt -Winitializer-overrides -Wassign-enum -Wshift-sign-overflow -Wthread-safety
# Not with clang: clang 14 miscompiles saturating subtraction under this flag (bytes_test shows it).
HARD_gcc := -fstack-clash-protection
HARD := -fno-common -fno-strict-aliasing -fstack-protector-strong -ftrivial-auto-var-init=pattern \
	-fcf-protection=full -D_FORTIFY_SOURCE=2 $(HARD_$(KIND))

# The sanitizers change what the optimiser can prove and how large frames are.
ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
WARN := $(filter-out -Wframe-larger-than=4096 -Wnull-dereference,$(WARN))
HARD := $(filter-out -D_FORTIFY_SOURCE=2,$(HARD))
endif

OPT ?= -O2 -g
MAPS := -ffile-prefix-map=$(CURDIR)=. -gno-record-gcc-switches
MAPS_clang := -ffile-prefix-map=$(CURDIR)=.
CPPFLAGS_ALL = -I. -D_GNU_SOURCE -DLB_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS_ALL = -std=c2x $(OPT) -fPIC -fvisibility=hidden -pthread $(WARN) $(WARN_$(KIND)) $(HARD) $(SANFLAGS) \
	$(if $(filter clang,$(KIND)),$(MAPS_clang),$(MAPS)) $(CFLAGS)
LDFLAGS_ALL = -pthread -Wl,--as-needed -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)

PKGS := libmicrohttpd libcurl libgit2 sqlite3 libarchive libzstd libcrypto libsodium cjose jansson libfyaml libseccomp
LIBS = $(eval LIBS := $$(shell pkg-config --libs $(PKGS)) -lm)$(LIBS)

# ---- what there is -----------------------------------------------------------

FOLDERS := base engine workflows artifact-cache release ci-runner coordinator
PROGRAM_base := lifeboat
PROGRAM_engine := lifeboat-engine
PROGRAM_artifact-cache := lifeboat-cache
PROGRAM_release := lifeboat-release
PROGRAM_ci-runner := lifeboat-runner
PROGRAM_coordinator := lifeboat-coordinator

# The libraries a folder is linked with, users before used.
NEEDS_base := base
NEEDS_engine := engine base
NEEDS_workflows := workflows base
NEEDS_artifact-cache := artifact-cache base
NEEDS_release := release base
NEEDS_ci-runner := ci-runner workflows base
NEEDS_coordinator := coordinator artifact-cache workflows base
NEEDS_all := coordinator ci-runner release artifact-cache workflows engine base

OTHER_OS := $(filter-out $(OS),linux darwin windows)
here = $(filter-out $(foreach o,$(OTHER_OS),%_$(o).c),$(wildcard $(1)/*.c $(1)/*/*.c $(1)/*/*/*.c))
SOURCES = $(filter-out $(1)/command/main.c,$(call here,$(1)))
OBJECTS = $(patsubst %.c,$(BUILD)/obj/%.o,$(call SOURCES,$(1)))
MAINS := $(foreach f,$(FOLDERS),$(if $(PROGRAM_$(f)),$(wildcard $(f)/command/main.c)))
PROGRAMS := $(foreach m,$(MAINS),$(BUILD)/$(PROGRAM_$(firstword $(subst /, ,$(m)))))

TEST_SOURCES := $(sort $(foreach f,$(FOLDERS) line fault,$(wildcard tests/$(f)/*_test.c tests/$(f)/*/*_test.c)))
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(TEST_SOURCES))
TEST_HELPERS = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/harness/*.c) $(filter-out %_test.c,$(wildcard tests/$(1)/*.c tests/$(1)/*/*.c)))
SCRIPTS := $(sort $(foreach f,$(FOLDERS) line fault cases conformance browser,$(wildcard tests/$(f)/*.t)))

.PHONY: all programs up setup test test-all test-unit check bench clean help install bundle package
.DELETE_ON_ERROR:
.SECONDARY:

all: programs

-include $(wildcard tests/*.mk docs/*.mk release/*.mk engine/*.mk)

programs: $(PROGRAMS)

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

# ---- building ----------------------------------------------------------------

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@$(if $(V),,printf '  CC    %s\n' $<;) $(if $(V),set -x;) \
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(CFLAGS_$(subst /,_,$(patsubst %.c,%,$<))) -MMD -MP -c -o $@ $<

# Rebuild when the flags change, and only then.
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL))' | cmp -s - $@ || \
	 printf '%s\n' '$(subst ','\'',$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL))' > $@
.PHONY: force
force:

define library
$(BUILD)/lib$(1).a: $(call OBJECTS,$(1)) $(BUILD)/objects-$(1)
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcsD $$@ $(call OBJECTS,$(1))
$(BUILD)/objects-$(1): force
	@mkdir -p $$(@D)
	@printf '%s\n' "$(call OBJECTS,$(1))" | cmp -s - $$@ || printf '%s\n' "$(call OBJECTS,$(1))" > $$@
endef
$(foreach f,$(FOLDERS),$(eval $(call library,$(f))))

libs = $(foreach f,$(NEEDS_$(1)),$(BUILD)/lib$(f).a)
link = printf '  LINK  %s\n' $@; mkdir -p $(@D); $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@

define program
$(BUILD)/$(PROGRAM_$(1)): $(BUILD)/obj/$(1)/command/main.o $(call libs,$(1))
	@$$(link) $$(filter %.o %.a,$$^) $(if $(filter engine,$(1)),-lm,$$(LIBS))
endef
$(foreach m,$(MAINS),$(eval $(call program,$(firstword $(subst /, ,$(m))))))

define test_program
$(BUILD)/$(1): $(BUILD)/obj/$(1).o $(call TEST_HELPERS,$(2)) $(call libs,$(if $(NEEDS_$(2)),$(2),all))
	@$$(link) $$(filter %.o %.a,$$^) $$(LIBS)
endef
$(foreach s,$(TEST_SOURCES),$(eval $(call test_program,$(patsubst %.c,%,$(s)),$(word 2,$(subst /, ,$(s))))))

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- the two commands of the README ------------------------------------------

#: make up          everything: set-up, build, then this checkout's workflow (ONCE=1: and stop)
up: setup
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(BUILD)/lifeboat up $(if $(ONCE),--once) $(UPFLAGS)

#: make test        set-up, build, then every test that ends within five minutes
test:
	@.ci/setup build test
	@$(MAKE) --no-print-directory -j$(JOBS) all test-programs
	@$(MAKE) --no-print-directory test-run

#: make setup       installs what building needs (Debian's packages, by name)
setup:
	@.ci/setup build

# ---- tests -------------------------------------------------------------------

.PHONY: test-programs test-run
test-programs: $(TEST_PROGRAMS)

PROVE = LB_BUILD=$(BUILD) LB_TOP=. prove --norc
test-run: check-fast
	@$(PROVE) -j$(JOBS) $(TEST_PROGRAMS) $(SCRIPTS)

#: make test-unit T=base    only the unit tests below tests/base
test-unit: $(filter $(BUILD)/tests/$(T)%,$(TEST_PROGRAMS))
	@$(PROVE) $^

#: make test-all    what `make test` runs, and the long suites: sanitizers, clang, faults, fuzzing
test-all: test
	@.ci/setup long
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory test-long

#: make check       style, layers, headers alone, both compilers, sanitizers, static analysis
.PHONY: check check-fast test-long
check-fast:
	@tests/check-layers
	@tests/check-style

clean:
	rm -rf $(BUILD)
