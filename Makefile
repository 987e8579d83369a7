# bpfproof. `make` builds build/bpfproof; `make help` lists the other targets.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= python3
VERSION := 0.1.0
.DEFAULT_GOAL := all

# From the ground up: a room may use only the rooms that scripts/check-rooms lets it.
ROOMS ?= base abi bpf smt lang sim compiler optimizer verifier api cli

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wimplicit-fallthrough -Wno-unknown-warning-option
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
ALL_CPPFLAGS = -I. -I$(BUILD)/gen -D_GNU_SOURCE -DBPFPROOF_VERSION='"$(VERSION)"' $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARNINGS) -fno-strict-overflow -fstack-protector-strong $(CFLAGS) $(SANITIZE)
LIBS = -lz3 -ljansson -lpthread -lm
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Generated C: abi tables, the lexer, the parser.
include $(wildcard $(addsuffix /room.mk,$(ROOMS)))

SOURCES := $(wildcard $(addsuffix /*.c,$(ROOMS)) $(addsuffix /*/*.c,$(filter-out abi,$(ROOMS))))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o) $(GENERATED:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o)
LIBRARY := $(BUILD)/libbpfproof-all.a
UNIT_SOURCES := $(wildcard $(foreach room,$(ROOMS),tests/unit/$(room)/*_test.c))
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/tests/%.t)
PROGRAMS := $(patsubst tests/programs/%.c,$(BUILD)/programs/%,$(wildcard tests/programs/*.c))
CAMPAIGN_SOURCES := $(wildcard tests/campaigns/*.c)
CAMPAIGNS := $(CAMPAIGN_SOURCES:tests/campaigns/%.c=$(BUILD)/campaigns/%)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

all: $(BUILD)/bpfproof

help:
	@sed -n 's/^## //p' $(firstword $(MAKEFILE_LIST))

$(BUILD)/bpfproof: $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(BUILD)/obj/cli/main.o $(LIBRARY) $(LIBS)

# The archive is made anew and appended to: rooms may have files of one name, and a source file that is gone leaves nothing.
$(LIBRARY): $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar qcs $@ $(filter-out %/cli/main.o,$(OBJECTS))

$(BUILD)/obj/%.o: %.c | $(GENERATED) $(GENERATED_HEADERS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c | $(GENERATED_HEADERS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(GENERATED_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%.t: tests/unit/%.c tests/unit/support.h $(LIBRARY)
	$(call say,TEST,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) $(LIBS) -lcmocka

# Programs that the command-line tests watch: never with sanitizers, whose threads and calls are not the program's.
$(BUILD)/programs/%: tests/programs/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -D_GNU_SOURCE -std=c11 $(WARNINGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lpthread

$(BUILD)/campaigns/%: tests/campaigns/%.c $(LIBRARY)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) $(LIBS)

## make              build/bpfproof
## make check        all tests: units, command line, seeded campaigns (BUILD=, CC=, WERROR=1)
## make test         installs what is missing, then `make check` with gcc, clang, and under ASan and UBSan
## make demo         installs what is missing, builds, then compiles, proves and runs Debian's container profile
unit: $(UNIT_TESTS)
	@tests/run $(BUILD) unit

campaigns: $(CAMPAIGNS)

CLI_TESTS := $(sort $(wildcard tests/cli/*.bats))

# The longest first, so that no processor waits for the last one.
check: $(BUILD)/bpfproof $(UNIT_TESTS) $(CAMPAIGNS) $(PROGRAMS)
	@scripts/check-rooms
	@tests/run $(BUILD) $(sort $(CAMPAIGNS)) $(sort $(UNIT_TESTS)) $(CLI_TESTS)

## make asan         `make check` under AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan
asan:
	@$(MAKE) --no-print-directory BUILD=build-asan SANITIZE="$(ASAN)" CFLAGS="-O1 -g" check

## make campaigns-full   the seeded campaigns at full length: admission, oracle, mutants
campaigns-full: $(BUILD)/bpfproof $(CAMPAIGNS)
	@BPFPROOF_SCALE=full tests/run $(BUILD) $(filter-out %/passes,$(sort $(CAMPAIGNS)))

## make passes-full  every pass, swap and order of passes, 10,000 random policies at every level (on all processors; one to three hours on two)
passes-full: $(BUILD)/campaigns/passes
	@BPFPROOF_SCALE=full tests/run $(BUILD) $(BUILD)/campaigns/passes

test:
	@scripts/setup
	@tests/everything

demo:
	@scripts/setup
	@$(MAKE) --no-print-directory -j2 all
	@scripts/demo $(BUILD)

## make fuzz         random input for SECONDS (default 600) under the sanitizers
SECONDS ?= 600
fuzz:
	@$(MAKE) --no-print-directory BUILD=build-asan SANITIZE="$(ASAN)" CFLAGS="-O1 -g" all
	@scripts/fuzz build-asan/bpfproof $(SECONDS)

## make bench        sizes, compile and proof times of the examples; latency beside the blobs in $BPFPROOF_PEERS
bench: all
	@scripts/bench $(BUILD)/bpfproof

## make install      PREFIX=/usr/local, DESTDIR=
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/bpfproof
	install -m 755 $(BUILD)/bpfproof $(DESTDIR)$(PREFIX)/bin/bpfproof
	install -m 644 README.md CHANGELOG.md LICENSE docs/*.md $(DESTDIR)$(PREFIX)/share/doc/bpfproof
	cp -r examples $(DESTDIR)$(PREFIX)/share/doc/bpfproof/

## make format       clang-format over all sources
format:
	clang-format -i $(wildcard $(addsuffix /*.[ch],$(ROOMS)) $(addsuffix /*/*.[ch],$(ROOMS)) tests/unit/*.h tests/unit/*/*.c tests/campaigns/*.[ch] tests/programs/*.c)

## make clean
clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(UNIT_TESTS:%=%.d) $(CAMPAIGNS:%=%.d)

.PHONY: all help unit campaigns campaigns-full passes-full check asan test demo fuzz bench install format clean
.DELETE_ON_ERROR:
