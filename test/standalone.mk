# standalone.mk - the goals that need none of PostgreSQL's build files: unit tests of the modules without
# PostgreSQL, and the commands that first install what is missing.

UNIT_TESTS  = $(sort $(basename $(notdir $(wildcard test/unit/test_*.c))))
PURE_SRC    = $(foreach module,$(PURE_MODULES),$(sort $(wildcard src/$(module)/*.c)))
PURE_HDR    = $(foreach module,$(PURE_MODULES),$(sort $(wildcard src/$(module)/*.h))) $(wildcard test/unit/*.h)
# A test that needs no state must take one all the same; what cmocka 2 calls deprecated is all that cmocka 1 has.
UNIT_CFLAGS = $(X87_CFLAGS) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -O2 -g -ffp-contract=off \
              -Isrc -Itest/unit
SANITIZE    = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# CROSS=s390x-linux-gnu EMULATE=qemu-s390x: the plain programs for another processor, and what runs them.
ifneq (,$(CROSS))
CC = $(CROSS)-gcc
endif
UNIT_DIR      = build/$(or $(CROSS),unit)
UNIT_PROGRAMS = $(UNIT_TESTS:%=$(UNIT_DIR)/%) $(if $(CROSS),,$(UNIT_TESTS:%=build/sanitized/%))

$(UNIT_DIR)/src/%.o: src/%.c $(PURE_HDR)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) $(CLV_CFLAGS) -c -o $@ $<

build/sanitized/src/%.o: src/%.c $(PURE_HDR)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) $(CLV_CFLAGS) $(SANITIZE) -c -o $@ $<

$(UNIT_DIR)/test_%: test/unit/test_%.c $(PURE_SRC:%.c=$(UNIT_DIR)/%.o) $(PURE_HDR)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -Wno-deprecated-declarations $(CLV_CFLAGS) -o $@ $(filter %.c %.o,$^) -lcmocka -lm

build/sanitized/test_%: test/unit/test_%.c $(PURE_SRC:%.c=build/sanitized/%.o) $(PURE_HDR)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -Wno-deprecated-declarations $(CLV_CFLAGS) $(SANITIZE) -o $@ $(filter %.c %.o,$^) -lcmocka -lm

.PHONY: help demo dashboard test fuzz soak fixtures bench bench-clean unit unit-programs deb dist
.SECONDARY:

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

demo:
	@DATA='$(DATA)' bash examples/demo

dashboard:
	@DATA='$(DATA)' bash examples/dashboard/run

test:
	@bash test/run

fuzz:
	@RUNS='$(RUNS)' SECONDS_EACH='$(SECONDS_EACH)' SEED='$(SEED)' test/fuzz/run

soak:
	@ROUNDS='$(ROUNDS)' SEED='$(SEED)' bash test/soak/run

fixtures:
	@bash test/fixtures/make

bench:
	@bash bench/run

deb:
	@AUTOPKGTEST='$(AUTOPKGTEST)' bash release/deb

dist:
	@PG_CONFIG='$(PG_CONFIG)' bash release/dist

bench-clean:
	rm -rf /var/tmp/clv-bench-$$(id -un) \
		$(if $(filter 0,$(shell id -u)),/var/tmp/clv-bench-postgres /var/tmp/clv-bench-nobody)

unit-programs: $(UNIT_PROGRAMS)

unit: unit-programs
	@set -e; for t in $(UNIT_PROGRAMS); do echo "# $$t"; $(EMULATE) $$t; done
