/*
 * score_window.c
 *		rfmtc_score(history, model, as_of, bins) OVER (...)
 *
 * The first row of a partition reads all of it, measures every customer, cuts
 * and scores; every row then returns its six stored bytes. Frame and ORDER BY have no
 * effect: a score is relative to the whole partition.
 */
#include "fit/last_day.h"
#include "score/population.h"
#include "score/score.h"

#include <math.h>

#include "common/arguments.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "windowapi.h"

enum
{
	ARG_HISTORY, /* these are passed by reference */
	ARG_MODEL,
	ARG_AS_OF, /* and these by value */
	ARG_BINS,
	ARGS
};

/* The results of a partition; zeroed when it starts. */
typedef struct Partition
{
	ClvModelCache cache;
	ClvValuer *valuer; /* of the reader; NULL before the first row */
	bool ready;
	int64 rows;
	ClvScores *scores; /* one for each row; all 0 where the customer does not exist */
} Partition;

/* The state with which the first row of a partition reads the others. */
typedef struct Reader
{
	WindowObject winobj;
	Partition *partition;
	MemoryContext memory;  /* the partition's */
	MemoryContext scratch; /* one row's */
	bool constant[ARGS];   /* the argument is the same in every row */
	Datum value[ARGS];
	bool isnull[ARGS];

	DateADT as_of;
	int bins;
} Reader;

/* Reads the arguments of a row. Each is copied, since fetching the next may free the one before. */
static void
ReadArguments(Reader *reader, int64 row)
{
	bool outside;

	for (int arg = 0; arg < ARGS; arg++)
	{
		if (reader->constant[arg])
			continue;
		reader->value[arg] =
			WinGetFuncArgInPartition(reader->winobj, arg, (int) row, WINDOW_SEEK_HEAD, false,
									 &reader->isnull[arg], &outside);
		if (!reader->isnull[arg] && arg <= ARG_MODEL)
			reader->value[arg] = datumCopy(reader->value[arg], false, -1);
	}
}

/* Prepares to read the rows of a partition; arguments that are the same in every row are read once.
 */
static void
OpenReader(Reader *reader, FunctionCallInfo fcinfo, WindowObject winobj, Partition *partition)
{
	memset(reader, 0, sizeof(*reader));
	reader->winobj = winobj;
	reader->partition = partition;
	reader->memory = GetMemoryChunkContext(partition);
	for (int arg = ARG_MODEL; arg < ARGS; arg++)
	{
		reader->constant[arg] = get_fn_expr_arg_stable(fcinfo->flinfo, arg);
		if (reader->constant[arg])
			reader->value[arg] = WinGetFuncArgCurrent(winobj, arg, &reader->isnull[arg]);
	}
	reader->scratch =
		AllocSetContextCreate(CurrentMemoryContext, "rfmtc_score row", ALLOCSET_DEFAULT_SIZES);
}

/* The model of the row that was read last, or NULL. */
static const ClvModel *
Model(Reader *reader)
{
	const ClvModel *fitted;

	if (reader->isnull[ARG_MODEL])
		return NULL;
	fitted = clv_model_lookup(&reader->partition->cache, reader->value[ARG_MODEL], reader->memory);
	clv_model_need_purchase(fitted);
	return fitted;
}

/* The day that the row read last asks for, by as_of or by its model, or DATEVAL_NOBEGIN. */
static DateADT
AsOfWanted(Reader *reader)
{
	const ClvModel *fitted;

	if (!reader->isnull[ARG_AS_OF])
		return DatumGetDateADT(reader->value[ARG_AS_OF]);
	fitted = Model(reader);
	return fitted != NULL && fitted->has_as_of ? fitted->as_of : DATEVAL_NOBEGIN;
}

/* The number of bins that the row read last asks for. */
static int
BinsWanted(const Reader *reader)
{
	return reader->isnull[ARG_BINS] ? CLV_DEFAULT_BINS : DatumGetInt32(reader->value[ARG_BINS]);
}

/* Raises an error where a row asks for another day or other bins than those before it. */
static void
CheckAgreement(Reader *reader)
{
	DateADT as_of = AsOfWanted(reader);
	char text[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (BinsWanted(reader) != reader->bins)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("different numbers of bins in one partition: %d and %d",
							   reader->bins, BinsWanted(reader)),
						errhint("Score one partition with one number of bins.")));
	if (!DATE_IS_NOBEGIN(as_of) && as_of != reader->as_of)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("different days to score as of in one partition: %s and %s",
							   clv_date_text(reader->as_of, text), clv_date_text(as_of, other)),
						errhint("Give one as_of for all rows, or PARTITION BY what it, or the "
								"model, depends on.")));
}

/*
 * No argument of the first row says which day it is: the first model that has one says it, else
 * it is the day of the last purchase up to today. DATEVAL_NOBEGIN where there is no purchase at
 * all.
 */
static DateADT
FindAsOf(Reader *reader)
{
	ClvLastDay *days = MemoryContextAllocHuge(
		CurrentMemoryContext, mul_size(reader->partition->rows, sizeof(ClvLastDay)));
	DateADT wanted = DATEVAL_NOBEGIN;
	DateADT today = clv_today();
	int64 n = 0;
	int64 future = 0;

	for (int64 row = 0; row < reader->partition->rows && DATE_IS_NOBEGIN(wanted); row++)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->scratch);

		CHECK_FOR_INTERRUPTS();
		ReadArguments(reader, row);
		wanted = AsOfWanted(reader);
		if (!reader->isnull[ARG_HISTORY])
		{
			const ClvHistory *history = DatumGetClvHistoryP(reader->value[ARG_HISTORY]);

			days[n] = (ClvLastDay){clv_history_last_purchase(history, today), 1};
			n += !DATE_IS_NOBEGIN(days[n].day);
			future += clv_history_last_purchase(history, DATEVAL_NOEND) > today;
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(reader->scratch);
	}
	if (DATE_IS_NOBEGIN(wanted) && (n > 0 || future > 0))
		wanted = clv_default_day_until_today(days, n, future);
	pfree(days);
	return wanted;
}

/* Determines the day and the bins. The day is DATEVAL_NOBEGIN where there is no purchase at all. */
static void
Agree(Reader *reader)
{
	ReadArguments(reader, 0);
	reader->bins = BinsWanted(reader);
	clv_check_bins(reader->bins);
	if (!reader->isnull[ARG_AS_OF])
		clv_check_date("as_of", DatumGetDateADT(reader->value[ARG_AS_OF]));
	reader->as_of = AsOfWanted(reader);
	if (DATE_IS_NOBEGIN(reader->as_of))
		reader->as_of = FindAsOf(reader);
}

/* Measures every customer of the partition; exists[row] tells whether they exist yet. */
static void
Measure(Reader *reader, ClvPopulation *population, bool *exists)
{
	if (reader->partition->valuer == NULL)
		reader->partition->valuer = clv_valuer_create(reader->memory);
	for (int64 row = 0; row < reader->partition->rows; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->scratch);
		double value[CLV_MEASURES];

		CHECK_FOR_INTERRUPTS();
		ReadArguments(reader, row);
		CheckAgreement(reader);
		exists[row] = !reader->isnull[ARG_HISTORY] &&
					  clv_measure(DatumGetClvHistoryP(reader->value[ARG_HISTORY]),
								  Model(reader) != NULL ? &reader->partition->cache : NULL,
								  reader->partition->valuer, reader->as_of, value);
		MemoryContextSwitchTo(old);
		MemoryContextReset(reader->scratch);
		if (exists[row])
			clv_population_add(population, value);
	}
}

/* Cuts the population and scores every row whose customer exists. */
static void
ScorePopulation(Partition *partition, const ClvPopulation *population, const bool *exists, int bins)
{
	ClvCutPoints cuts;
	int64 customer = 0;

	clv_population_cut(population, bins, &cuts);
	for (int64 row = 0; row < partition->rows; row++)
	{
		double value[CLV_MEASURES];

		if (!exists[row])
			continue;
		for (int i = 0; i < CLV_MEASURES; i++)
			value[i] = cuts.bins[i] > 0 ? population->column[i][customer] : NAN;
		clv_score(&cuts, value, &partition->scores[row]);
		customer++;
	}
}

/* Reads, measures and scores the whole partition; errors where its rows disagree or are too many.
 */
static void
ScorePartition(FunctionCallInfo fcinfo, WindowObject winobj, Partition *partition)
{
	Reader reader;
	ClvPopulation population;
	MemoryContext work;
	MemoryContext old;
	bool *exists;

	partition->rows = WinGetPartitionRowCount(winobj);
	if (partition->rows > PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many customers to score at once")));
	work = AllocSetContextCreate(CurrentMemoryContext, "rfmtc_score", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);

	OpenReader(&reader, fcinfo, winobj, partition);
	Agree(&reader);
	memset(&population, 0, sizeof(population));
	population.context = work;
	exists = MemoryContextAllocHuge(work, partition->rows);
	Measure(&reader, &population, exists);
	partition->scores =
		MemoryContextAllocExtended(reader.memory, mul_size(partition->rows, sizeof(ClvScores)),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	ScorePopulation(partition, &population, exists, reader.bins);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	partition->ready = true;
}

/*
 * rfmtc_score(history, model, as_of, bins) OVER (...) -> clv_scores: the scores of the row's
 * customer in the partition; NULL before the first purchase.
 */
PG_FUNCTION_INFO_V1(rfmtc_score_window);
Datum
rfmtc_score_window(PG_FUNCTION_ARGS)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	Partition *partition;
	int64 row;

	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = clv_scores_desc(fcinfo->flinfo);
	partition = WinGetPartitionLocalMemory(winobj, sizeof(Partition));
	if (!partition->ready)
		ScorePartition(fcinfo, winobj, partition);

	row = WinGetCurrentPosition(winobj);
	WinSetMarkPosition(winobj, row);
	if (partition->scores[row].score[CLV_RECENCY] == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(clv_scores_datum(fcinfo->flinfo->fn_extra, &partition->scores[row]));
}
