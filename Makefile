# Makefile - builds, tests, installs.  `make help` lists what there is.
#
# Sources are found by wildcard: adding a file is adding a file.  Variants live
# in folders of their own: make CC=clang BUILD=build/clang, make SAN=address,undefined
# BUILD=build/san.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell cat VERSION)
T ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

ifeq ($(origin CC),default)
CC := $(shell command -v gcc >/dev/null 2>&1 && echo gcc || echo clang)
endif
KIND := $(if $(findstring clang,$(CC)),clang,gcc)

# What the code is for: another machine or system than this one with CC=aarch64-linux-gnu-gcc and the like.
TARGET := $(shell $(CC) -dumpmachine)
OS := $(if $(findstring mingw,$(TARGET)),windows,$(shell uname -s | tr A-Z a-z))

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
HARD_x86_64 := -fcf-protection=full
HARD := -fno-common -fno-strict-aliasing -fstack-protector-strong -ftrivial-auto-var-init=pattern \
	$(HARD_$(firstword $(subst -, ,$(TARGET)))) -D_FORTIFY_SOURCE=2 $(HARD_$(KIND))

# The sanitizers change what the optimiser can prove and how large frames are.
ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
WARN := $(filter-out -Wframe-larger-than=4096 -Wnull-dereference,$(WARN))
HARD := $(filter-out -D_FORTIFY_SOURCE=2,$(HARD))
endif

# Windows' own printf knows less than C has, and its headers warn.
ifeq ($(OS),windows)
WARN := $(filter-out -Wformat=2 -Wconversion -Wnull-dereference,$(WARN)) -Wno-format
WARN_gcc := $(filter-out -Wformat-signedness -Warith-conversion,$(WARN_gcc))
HARD := $(filter-out -fstack-protector-strong -D_FORTIFY_SOURCE=2,$(HARD))
CPPFLAGS += -D__USE_MINGW_ANSI_STDIO=1
endif

OPT ?= -O2 -g
MAPS := -ffile-prefix-map=$(CURDIR)=. -gno-record-gcc-switches
MAPS_clang := -ffile-prefix-map=$(CURDIR)=.
CPPFLAGS_ALL = -I. -D_GNU_SOURCE -DLB_VERSION='"$(VERSION)"' $(CPPFLAGS)
CFLAGS_ALL = -std=c2x $(OPT) -fPIC -pthread $(WARN) $(WARN_$(KIND)) $(HARD) $(SANFLAGS) \
	$(if $(filter clang,$(KIND)),$(MAPS_clang),$(MAPS)) $(CFLAGS)
LDFLAGS_ALL = -pthread -Wl,--as-needed -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)

PKGS := libmicrohttpd libcurl libgit2 sqlite3 libarchive libzstd libcrypto libsodium cjose jansson \
	libseccomp libpcre2-8
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

OTHER_OS := $(filter-out $(OS),linux darwin windows) $(if $(filter windows,$(OS)),posix)
here = $(filter-out $(foreach o,$(OTHER_OS),%_$(o).c),$(wildcard $(1)/*.c $(1)/*/*.c $(1)/*/*/*.c))
SOURCES = $(filter-out $(1)/command/main.c,$(call here,$(1)))
OBJECTS = $(patsubst %.c,$(BUILD)/obj/%.o,$(call SOURCES,$(1)))
MAINS := $(foreach f,$(FOLDERS),$(if $(PROGRAM_$(f)),$(wildcard $(f)/command/main.c)))
PROGRAMS := $(foreach m,$(MAINS),$(BUILD)/$(PROGRAM_$(firstword $(subst /, ,$(m)))))

TEST_SOURCES := $(sort $(foreach f,$(FOLDERS) line fault,$(wildcard tests/$(f)/*_test.c tests/$(f)/*/*_test.c)))
# Fuzz targets with a kept corpus are run over it, without a fuzzer.
FUZZ_SOURCES := $(wildcard tests/fuzz/*/*_fuzz.c)
REPLAYED := $(filter $(patsubst %_corpus/,%_fuzz.c,$(wildcard tests/fuzz/*/*_corpus/)),$(FUZZ_SOURCES))
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(TEST_SOURCES)) $(patsubst %_fuzz.c,$(BUILD)/%_replay,$(REPLAYED))
# Helpers of a folder are its sources that are no tests; tests/fault uses those of tests/line.
objects_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
helpers_in = $(filter-out %_test.c,$(wildcard tests/$(1)/*.c tests/$(1)/*/*.c))
TEST_HELPERS = $(call objects_of,$(wildcard tests/harness/*.c) $(call helpers_in,$(1)) \
	$(if $(filter fault,$(1)),$(call helpers_in,line)))
SCRIPTS := $(sort $(wildcard $(foreach f,$(FOLDERS) line cases,tests/$(f)/*.t tests/$(f)/*/*.t)) \
	$(wildcard tests/line/*_accepts.mjs tests/browser/*_browser.mjs))
LONG_SCRIPTS := $(sort $(wildcard tests/fault/*.t tests/fault/*.mjs tests/long/*.t))

.PHONY: all programs up setup test test-all test-unit check bench clean help install bundle package
.DELETE_ON_ERROR:
.SECONDARY:

all: programs

programs: $(PROGRAMS)

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)

include $(wildcard engine/*.mk)

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

define replay_program
$(BUILD)/$(1)_replay: $(BUILD)/obj/$(1)_fuzz.o $(BUILD)/obj/tests/fuzz/replay.o \
		$(call libs,$(if $(NEEDS_$(2)),$(2),all))
	@$$(link) $$(filter %.o %.a,$$^) $$(LIBS)
endef
$(foreach s,$(REPLAYED),$(eval $(call replay_program,$(patsubst %_fuzz.c,%,$(s)),$(word 3,$(subst /, ,$(s))))))

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

$(BUILD)/obj/coordinator/pages/asset.o: $(foreach k,css js svg,$(wildcard coordinator/pages/*.$(k)))

# ---- the two commands of the README ------------------------------------------

#: make up          everything: set-up, build, then this checkout's workflow (ONCE=1: and stop)
up:
	@.ci/setup build
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
	@$(PROVE) -j$(JOBS) $(filter-out $(BUILD)/tests/fault/%,$(TEST_PROGRAMS)) $(SCRIPTS)

#: make test-unit T=base    only the unit tests below tests/base
test-unit: $(filter $(BUILD)/tests/$(T)%,$(TEST_PROGRAMS))
	@$(PROVE) $^

#: make test-all    what `make test` runs, and the long suites: sanitizers, clang, faults, fuzzing
.PHONY: test-all-long
test-all: test
	@$(MAKE) --no-print-directory test-all-long

test-all-long:
	@.ci/setup build test long
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory fuzz-smoke
	@$(MAKE) --no-print-directory -j$(JOBS) all test-programs
	@LB_LONG=1 $(PROVE) --timer $(filter $(BUILD)/tests/fault/%,$(TEST_PROGRAMS)) $(LONG_SCRIPTS)

#: make check       layers, style, headers alone, both compilers, sanitizers, static analysis
.PHONY: check check-fast check-docs check-headers check-clang check-san check-static
check: check-fast check-docs check-headers check-clang check-san check-static

check-fast:
	@tests/check-layers
	@tests/check-style
	@tests/check-compatibility

# What is generated and kept in the tree.
check-docs:
	@tests/oom-doc --check

#: make docs        writes docs/out-of-memory.md anew
.PHONY: docs
docs:
	@tests/oom-doc > docs/out-of-memory.md

check-headers:
	@for header in $$(git ls-files '*.h' | grep -v _priv.h); do \
	  printf '#include "%s"\n' $$header | \
	    $(CC) $(CPPFLAGS_ALL) $(filter-out -Wunused-macros,$(CFLAGS_ALL)) -fsyntax-only -x c - || exit 1; done

check-clang:
	@$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang -j$(JOBS) all test-programs
	@$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang test-programs-run

SANITIZED := CC=gcc SAN=address,undefined BUILD=$(BUILD)/san
check-san:
	@$(MAKE) --no-print-directory $(SANITIZED) -j$(JOBS) all test-programs
	@$(MAKE) --no-print-directory $(SANITIZED) test-programs-run

check-static:
	@cppcheck -q --error-exitcode=1 --std=c11 --inline-suppr -I. -D_GNU_SOURCE -DLB_VERSION='"0"' \
	  -D"__VA_OPT__(...)=__VA_ARGS__" --enable=warning,portability \
	  --suppressions-list=tests/cppcheck.txt -j$(JOBS) $(FOLDERS)

.PHONY: test-programs-run
test-programs-run:
	@ASAN_OPTIONS=detect_leaks=1:use_sigaltstack=0 $(PROVE) -j$(JOBS) $(TEST_PROGRAMS)

#: make format      lays the sources out with clang-format
.PHONY: format
format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

# ---- fuzzing -----------------------------------------------------------------

FUZZERS := $(patsubst %.c,$(BUILD)/%,$(FUZZ_SOURCES))
FUZZ_SECONDS ?= 600

define fuzzer
$(BUILD)/$(1): $(BUILD)/obj/$(1).o $(call libs,$(if $(NEEDS_$(2)),$(2),all))
	@$$(link) $$(filter %.o %.a,$$^) $$(LIBS)
endef
$(foreach s,$(FUZZ_SOURCES),$(eval $(call fuzzer,$(patsubst %.c,%,$(s)),$(word 3,$(subst /, ,$(s))))))

.PHONY: fuzzers fuzz fuzz-smoke fuzz-run
fuzzers: $(FUZZERS)

#: make fuzz        libFuzzer on every parser of untrusted bytes, FUZZ_SECONDS (600) each
fuzz:
	@.ci/setup build test long
	@$(MAKE) --no-print-directory fuzz-build fuzz-run FUZZ_SECONDS=$(FUZZ_SECONDS)

FUZZ_BUILD := $(BUILD)/fuzz
.PHONY: fuzz-build
fuzz-build:
	@$(MAKE) --no-print-directory CC=clang SAN=address,undefined,fuzzer-no-link BUILD=$(FUZZ_BUILD) OPT='-O1 -g' \
	  LDFLAGS=-fsanitize=fuzzer -j$(JOBS) fuzzers

fuzz-run:
	@tests/fuzz/run $(FUZZ_BUILD)/tests/fuzz $(FUZZ_SECONDS)

# A few seconds each: that they build, run, and that nothing shallow breaks.
fuzz-smoke:
	@$(MAKE) --no-print-directory fuzz-build fuzz-run FUZZ_SECONDS=5

# ---- benchmarks --------------------------------------------------------------

#: make bench       measures beside peers and prints ratios with medians
BENCH_SOURCES := $(sort $(wildcard tests/bench/*_bench.c))
BENCHES := $(patsubst %.c,$(BUILD)/%,$(BENCH_SOURCES))
BENCH_HELPERS := $(call objects_of,$(wildcard tests/harness/*.c) tests/line/line.c tests/bench/bench.c \
	tests/workflows/support.c tests/workflows/wasmtime.c)
$(BENCHES): $(BUILD)/%: $(BUILD)/obj/%.o $(BENCH_HELPERS) $(call libs,all)
	@$(link) $(filter %.o %.a,$^) $(LIBS)

.PHONY: bench-programs
bench-programs: $(BENCHES)

bench:
	@.ci/setup build test bench
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-programs
	@for bench in $(BENCHES) $(wildcard tests/bench/*.bench); do \
	  echo "== $$bench"; LB_BUILD=$(BUILD) LB_TOP=. $$bench || exit 1; done

# ---- installing and packing --------------------------------------------------

MANUALS := $(patsubst $(BUILD)/%,$(BUILD)/man/%.1,$(PROGRAMS))
$(BUILD)/man/%.1: $(BUILD)/%
	@mkdir -p $(@D)
	@$< manual > $@

COMPLETIONS := $(foreach s,bash zsh fish,$(patsubst $(BUILD)/%,$(BUILD)/completion/$(s)/%,$(PROGRAMS)))
$(BUILD)/completion/bash/%: $(BUILD)/% ; @mkdir -p $(@D); $< completion bash > $@
$(BUILD)/completion/zsh/%: $(BUILD)/% ; @mkdir -p $(@D); $< completion zsh > $@
$(BUILD)/completion/fish/%: $(BUILD)/% ; @mkdir -p $(@D); $< completion fish > $@

# The engine alone, for people who embed it: its objects and the part of base it stands on.
# On Windows it is without WASI, whose files base/platform does not have there.
ENGINE_OBJECTS := $(filter-out $(BUILD)/obj/engine/command/% $(if $(filter windows,$(OS)),$(BUILD)/obj/engine/wasi/%), \
	$(call OBJECTS,engine)) \
	$(call objects_of,$(wildcard base/*.c) $(call here,base/platform))
$(BUILD)/liblifeboat-engine.a: $(ENGINE_OBJECTS)
	@rm -f $@
	@ar rcsD $@ $^
$(BUILD)/liblifeboat-engine.so: $(ENGINE_OBJECTS) engine/capi/engine.map
	@$(link) -shared -Wl,-soname,liblifeboat-engine.so.0 -Wl,--version-script=engine/capi/engine.map \
	  $(filter %.o,$^) -lm
all: $(BUILD)/liblifeboat-engine.a $(BUILD)/liblifeboat-engine.so

# The public headers are found by following <lifeboat/engine.h>.
PUBLIC_HEADERS = $(filter-out x: \ engine/capi/engine.h,$(shell $(CC) -I. -std=c2x -MM -MT x engine/capi/engine.h))

ROOT = $(DESTDIR)$(PREFIX)

#: make install     programs, library, headers, manual pages, completion, systemd units (DESTDIR=, PREFIX=)
install: all $(MANUALS) $(COMPLETIONS)
	@install -d $(ROOT)/bin $(ROOT)/lib/pkgconfig $(ROOT)/include/lifeboat $(ROOT)/share/man/man1 \
	  $(ROOT)/share/bash-completion/completions $(ROOT)/share/zsh/site-functions \
	  $(ROOT)/share/fish/vendor_completions.d $(ROOT)/lib/systemd/system $(ROOT)/share/doc/lifeboat
	@install -m 755 $(PROGRAMS) $(ROOT)/bin
	@install -m 644 $(BUILD)/liblifeboat-engine.a $(ROOT)/lib
	@install -m 755 $(BUILD)/liblifeboat-engine.so $(ROOT)/lib/liblifeboat-engine.so.0
	@ln -sf liblifeboat-engine.so.0 $(ROOT)/lib/liblifeboat-engine.so
	@install -m 644 engine/capi/engine.h $(ROOT)/include/lifeboat/engine.h
	@install -m 644 engine/capi/wasm.h $(ROOT)/include/wasm.h
	@install -m 644 engine/plugin/plugin.h $(ROOT)/include/lifeboat/plugin.h
	@for header in $(PUBLIC_HEADERS); do \
	  install -D -m 644 $$header $(ROOT)/include/lifeboat/$$header; done
	@sed 's,@PREFIX@,$(PREFIX),;s,@VERSION@,$(VERSION),' engine/capi/lifeboat-engine.pc.in \
	  > $(ROOT)/lib/pkgconfig/lifeboat-engine.pc
	@install -m 644 $(MANUALS) $(ROOT)/share/man/man1
	@for p in $(notdir $(PROGRAMS)); do \
	  install -m 644 $(BUILD)/completion/bash/$$p $(ROOT)/share/bash-completion/completions/$$p; \
	  install -m 644 $(BUILD)/completion/zsh/$$p $(ROOT)/share/zsh/site-functions/_$$p; \
	  install -m 644 $(BUILD)/completion/fish/$$p $(ROOT)/share/fish/vendor_completions.d/$$p.fish; done
	@for unit in docs/systemd/*.service; do \
	  sed 's,@PREFIX@,$(PREFIX),' $$unit > $(ROOT)/lib/systemd/system/$$(basename $$unit); done
	@install -m 644 README.md $(ROOT)/share/doc/lifeboat
	@printf '  INSTALLED in %s\n' $(ROOT)

# A tag's release is named after VERSION, a snapshot after its commit as well.
COMMIT_TIME = $(shell git log -1 --format=%ct)
TAGGED = $(shell git describe --exact-match --tags --match 'v$(VERSION)' 2>/dev/null)
SNAPSHOT = snapshot.$(shell TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format=%cd.g%h --abbrev=12)
PACKAGE_VERSION = $(VERSION)$(if $(TAGGED),,-$(SNAPSHOT))

#: make package     a reproducible tarball of an installation in BUILD/package
package: all
	@rm -rf $(BUILD)/package $(BUILD)/stage
	@$(MAKE) --no-print-directory install DESTDIR=$(BUILD)/stage PREFIX=/ >/dev/null
	@mkdir -p $(BUILD)/package
	@name=lifeboat-$(PACKAGE_VERSION)-$(OS)-$$(uname -m); \
	 $(BUILD)/lifeboat-release package --root $(BUILD)/stage --name $$name --mtime $(COMMIT_TIME) \
	   -o $(BUILD)/package/$$name.tar.gz
	@echo version=$(PACKAGE_VERSION) > $(BUILD)/package/version

# Unit tests and what they need, to be run elsewhere: tests/bundle-run is `run` in it.
BUNDLE := $(BUILD)/test-bundle
# Ways out of a sandbox are tried from a machine, not from within another sandbox.
BUNDLED = $(filter-out $(addprefix $(BUILD)/tests/,line/% fault/% fuzz/% ci-runner/sandbox/escape_test \
	ci-runner/sandbox/network_test),$(TEST_PROGRAMS))

#: make bundle      the unit tests as an archive that runs without sources, compiler or network
bundle: all test-programs
	@rm -rf $(BUNDLE)
	@mkdir -p $(BUNDLE)/build
	@cp tests/bundle-run $(BUNDLE)/run
	@cp $(PROGRAMS) $(BUNDLE)/build/
	@for program in $(patsubst $(BUILD)/%,%,$(BUNDLED)); do \
	  mkdir -p $(BUNDLE)/build/$$(dirname $$program); cp $(BUILD)/$$program $(BUNDLE)/build/$$program; done
	@git ls-files tests .github workflows/*.yml docs/workflow-syntax.md | \
	  grep -vE '^tests/(bench|browser|line|fault|fuzz|clients)/' | \
	  tar -cf - -T - | tar -xf - -C $(BUNDLE)
	@tar -czf $(BUILD)/test-bundle.tar.gz -C $(BUILD) test-bundle
	@printf '  BUNDLE %s: %s programs\n' $(BUILD)/test-bundle.tar.gz $(words $(BUNDLED))

clean:
	rm -rf $(BUILD)
