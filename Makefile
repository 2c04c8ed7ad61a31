# clv - customer lifetime value inside PostgreSQL
#
#   make demo [DATA=orders.csv]     see it work (installs what is missing, needs root or sudo for that alone)
#   make dashboard [DATA=...]       the same on a page in the browser (same)
#   make test                       run every test (same)
#   make bench [SCALE=million]      measure (same); or SCALE=full, SCALE=growth
#   make unit                       the unit tests of the pure rooms alone
#   make && make install            the PGXS way, into the PostgreSQL of pg_config or PG_CONFIG=...
#   make installcheck               the regression tests, against a running server

EXTENSION  = clv
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" clv.control)
MODULE_big = clv

# The rooms, in load order: a room's SQL may use the objects of the rooms before it.
PURE_ROOMS = math model
ROOMS      = history fitted fit predict score segment nps quick validate pipeline

PURE_OBJS  = $(patsubst %.c,%.o,$(foreach room,$(PURE_ROOMS),$(sort $(wildcard src/$(room)/*.c))))
OBJS       = $(PURE_OBJS) \
             $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)) $(foreach room,$(ROOMS),$(sort $(wildcard src/$(room)/*.c))))
ROOM_SQL   = $(foreach room,$(ROOMS),$(sort $(wildcard src/$(room)/*.sql)))

DATA_built = clv--$(EXTVERSION).sql
EXTRA_CLEAN = build

REGRESS      = $(sort $(basename $(notdir $(wildcard sql/*.sql))))
REGRESS_OPTS = --load-extension=clv --encoding=UTF8

PG_CPPFLAGS = -Isrc
# Contracted multiply-adds would make results depend on the processor; fast-math would change the whole server.
PG_CFLAGS   = -ffp-contract=off -Wextra -Wno-unused-parameter $(CLV_CFLAGS)
SHLIB_LINK  = -lm

# Bitcode for the JIT doubles the build time, and none of our functions is small enough to be worth inlining.
override with_llvm = no

PG_CONFIG ?= pg_config

# The commands, and the tests of the pure rooms, must work before PostgreSQL's build files are there.
STANDALONE = help demo dashboard test bench bench-clean unit unit-programs
ifeq (,$(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)))
include test/standalone.mk
else
DATA  = $(wildcard upgrade/clv--*--*.sql)
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
endif

ifneq (,$(PGXS))
$(OBJS): $(wildcard src/*.h src/*/*.h)

# A line "%canonical ..." of a room stands for src/canonical.sql with its words filled in.
FILL_IN = /^%canonical / { \
	while ((getline line < "src/canonical.sql") > 0) { \
		gsub(/%type%/, $$2, line); gsub(/%cost%/, $$3, line); gsub(/%seeded_cost%/, $$4, line); gsub(/%many%/, $$5, line); \
		if (line !~ /^--/) print line } \
	close("src/canonical.sql"); next } \
	{ print }

clv--$(EXTVERSION).sql: src/preamble.sql src/canonical.sql $(ROOM_SQL) clv.control Makefile
	awk '$(FILL_IN)' src/preamble.sql $(ROOM_SQL) > $@
endif
