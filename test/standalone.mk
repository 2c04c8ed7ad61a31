# standalone.mk - the goals that need none of PostgreSQL's build files: unit tests of the pure rooms,
# and the commands that first install what is missing.

UNIT_TESTS  = $(sort $(basename $(notdir $(wildcard test/unit/test_*.c))))
PURE_SRC    = $(foreach room,$(PURE_ROOMS),$(sort $(wildcard src/$(room)/*.c)))
PURE_HDR    = $(foreach room,$(PURE_ROOMS),$(sort $(wildcard src/$(room)/*.h))) $(wildcard test/unit/*.h)
UNIT_CFLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -O2 -g -ffp-contract=off -Isrc -Itest/unit
SANITIZE    = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

build/unit/%: test/unit/%.c $(PURE_SRC) $(PURE_HDR)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) $(CLV_CFLAGS) -o $@ $< $(PURE_SRC) -lcmocka -lm

build/sanitized/%: test/unit/%.c $(PURE_SRC) $(PURE_HDR)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) $(CLV_CFLAGS) $(SANITIZE) -o $@ $< $(PURE_SRC) -lcmocka -lm

.PHONY: unit
unit: $(UNIT_TESTS:%=build/unit/%) $(UNIT_TESTS:%=build/sanitized/%)
	@set -e; for t in $^; do echo "# $$t"; $$t; done
