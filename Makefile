# clv - customer lifetime value inside PostgreSQL
#
#   make demo [DATA=orders.csv]     see it work (installs what is missing, needs root or sudo for that alone)
#   make dashboard [DATA=...]       the same on a page in the browser (same)
#   make test                       run every test (same)
#   make fixtures                   write what this version stores, for later ones to read (at a release)
#   make bench [SCALE=million]      measure (same); or ten-million, full, growth
#   make unit                       the unit tests of the modules without PostgreSQL alone
#   make fuzz [RUNS=100000]         the fuzzers of these modules (clang); make soak [ROUNDS=500]: pipelines for long
#   make && make install            the PGXS way, into the PostgreSQL of pg_config or PG_CONFIG=...
#   make installcheck               the regression tests, against a running server
#   make deb, make dist             packages for Debian; the archive for PGXN

EXTENSION  = clv
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" clv.control)
MODULE_big = clv

# The modules: those that include nothing of PostgreSQL, and the others.
PURE_MODULES   = math families
SERVER_MODULES = common history calendar model cells fit predict simulate score segment nps quick validate pipeline

# The SQL files in load order: a file may use the objects of those before it. Within a module: types, functions,
# aggregates, tables, procedures, views.
MODULE_SQL = $(addprefix src/, \
	common/common.sql \
	common/source.sql \
	history/history.sql \
	history/history_accessors.sql \
	history/history_aggregate.sql \
	history/history_query.sql \
	calendar/calendar.sql \
	model/model.sql \
	cells/options.sql \
	cells/cells.sql \
	fit/fit.sql \
	fit/pool.sql \
	predict/predict_numbers.sql \
	predict/predict.sql \
	predict/predict_total.sql \
	predict/totals.sql \
	predict/campaign.sql \
	simulate/simulate.sql \
	score/score.sql \
	score/profile.sql \
	segment/segment.sql \
	segment/segment_maps.sql \
	nps/nps.sql \
	quick/quick.sql \
	quick/quick_check.sql \
	validate/validate.sql \
	validate/validate_metrics.sql \
	validate/validate_read.sql \
	validate/validate_backtest.sql \
	validate/validate_tracking.sql \
	validate/validate_choose.sql \
	validate/validate_shock.sql \
	pipeline/pipeline.sql \
	pipeline/pipeline_lock.sql \
	pipeline/pipeline_shards.sql \
	pipeline/pipeline_partition.sql \
	pipeline/pipeline_numbers.sql \
	pipeline/pipeline_shock.sql \
	pipeline/pipeline_source.sql \
	pipeline/pipeline_calendar.sql \
	pipeline/pipeline_cuts.sql \
	pipeline/pipeline_groups.sql \
	pipeline/pipeline_check.sql \
	pipeline/views/work.sql \
	pipeline/views/runs.sql \
	pipeline/views/models.sql \
	pipeline/views/customers.sql \
	pipeline/views/segments.sql \
	pipeline/views/migration.sql \
	pipeline/views/groups.sql \
	pipeline/views/equity.sql \
	pipeline/views/cohorts.sql \
	pipeline/views/cohort_retention.sql \
	pipeline/views/forecast.sql \
	pipeline/views/concentration.sql \
	pipeline/views/winback.sql \
	pipeline/views/next_best.sql \
	pipeline/views/alerts.sql \
	pipeline/views/conversations.sql \
	pipeline/views/check.sql \
	pipeline/views/satisfaction.sql \
	pipeline/views/value_segments.sql \
	pipeline/views/profile.sql \
	pipeline/views/new_customer.sql \
	pipeline/views/calibration.sql \
	pipeline/views/lift.sql \
	pipeline/views/tracking.sql \
	pipeline/pipeline_views.sql \
	pipeline/pipeline_upgrade.sql \
	pipeline/pipeline_steps.sql \
	pipeline/pipeline_customers.sql \
	pipeline/pipeline_forecast.sql \
	pipeline/pipeline_validation.sql \
	pipeline/pipeline_refresh.sql \
	pipeline/pipeline_histories.sql \
	pipeline/pipeline_model.sql \
	pipeline/pipeline_findings.sql \
	pipeline/pipeline_create.sql \
	pipeline/pipeline_forget.sql \
	pipeline/pipeline_schedule.sql)

PURE_OBJS  = $(patsubst %.c,%.o,$(foreach module,$(PURE_MODULES),$(sort $(wildcard src/$(module)/*.c))))
OBJS       = $(PURE_OBJS) \
             $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)) \
               $(foreach module,$(SERVER_MODULES),$(sort $(wildcard src/$(module)/*.c))))

DATA_built = clv--$(EXTVERSION).sql
EXTRA_CLEAN = build

REGRESS      = $(sort $(basename $(notdir $(wildcard sql/*.sql))))
REGRESS_OPTS = --load-extension=clv --encoding=UTF8

PG_CPPFLAGS = -Isrc -DCLV_VERSION='"$(EXTVERSION)"'
# Contracted multiply-adds would make results depend on the processor; fast-math would change the whole server.
PG_CFLAGS   = -ffp-contract=off -Wextra -Wno-unused-parameter $(CLV_CFLAGS)
SHLIB_LINK  = -lm
# On 32 bit the old unit for floating point would round otherwise than any other processor.
X87_CFLAGS  = $(if $(filter i386-% i486-% i586-% i686-%,$(shell $(CC) -dumpmachine 2>/dev/null)),-msse2 -mfpmath=sse)
PG_CFLAGS  += $(X87_CFLAGS)

# Bitcode for the JIT doubles the build time, and none of the functions is small enough to be worth inlining.
override with_llvm = no

PG_CONFIG ?= pg_config

# The commands, and the tests of the modules without PostgreSQL, must work before PostgreSQL's build files are there.
STANDALONE = help demo dashboard test fuzz soak fixtures bench bench-clean unit unit-programs deb dist
ifeq (,$(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)))
include test/standalone.mk
else
# the script of the first release, as it was, and from each release to the next
DATA  = $(filter-out upgrade/clv--$(EXTVERSION).sql,$(wildcard upgrade/clv--*.sql))
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
endif

ifneq (,$(PGXS))
$(OBJS): $(wildcard src/*.h src/*/*.h)
src/clv.o: clv.control

# A file that is in a module and not in the list would be left out silently.
UNLISTED_SQL = $(filter-out $(MODULE_SQL),$(wildcard src/*/*.sql src/*/*/*.sql))
$(if $(UNLISTED_SQL),$(error not in the list MODULE_SQL of the Makefile: $(UNLISTED_SQL)))

# A line "%canonical ..." of a module stands for src/canonical.sql with its words filled in.
FILL_IN = /^%canonical / { \
	while ((getline line < "src/canonical.sql") > 0) { \
		gsub(/%type%/, $$2, line); gsub(/%cost%/, $$3, line); \
		gsub(/%seeded_cost%/, $$4, line); gsub(/%many%/, $$5, line); \
		if (line !~ /^--/) print line } \
	close("src/canonical.sql"); next } \
	{ print }

clv--$(EXTVERSION).sql: src/preamble.sql src/canonical.sql $(MODULE_SQL) clv.control Makefile
	awk '$(FILL_IN)' src/preamble.sql $(MODULE_SQL) > $@
endif
