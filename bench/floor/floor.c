/*
 * floor.c
 *		What nothing costs: the least that a function, a row or an aggregate of the
 *		same arguments can take in this server, and a shop to measure with.
 *
 * A benchmark that prints milliseconds ages with the machine; a ratio to these
 * floors does not.
 */
#include "clv.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

PG_MODULE_MAGIC;

#define MAX_PURCHASES 2000
#define MAX_COLUMNS 64

/* splitmix64: the same shop on every machine */
static double
Uniform(uint64 *seed)
{
	uint64 z = (*seed += UINT64CONST(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	z ^= z >> 31;
	return ((z >> 11) + 0.5) / 9007199254740992.0;
}

/* gamma(1/2): half the square of a normal number */
static double
GammaHalf(uint64 *seed)
{
	double c = cos(2 * M_PI * Uniform(seed));

	return -log(Uniform(seed)) * c * c;
}

/*
 * The purchases of one customer, as pairs of day and amount, from a MBG/NBD
 * process with gamma/gamma spend: (customer, days, mean weeks between purchases).
 */
PG_FUNCTION_INFO_V1(bench_purchases);
Datum
bench_purchases(PG_FUNCTION_ARGS)
{
	uint64 seed = (uint64) PG_GETARG_INT32(0) * UINT64CONST(0xd1342543de82ef95);
	double days = PG_GETARG_FLOAT8(1);
	double rate = GammaHalf(&seed) * 2 / (7 * PG_GETARG_FLOAT8(2));
	double a = GammaHalf(&seed);
	double b = GammaHalf(&seed) - 2 * log(Uniform(&seed));
	double spend = 12 / -log(Uniform(&seed) * Uniform(&seed) * Uniform(&seed));
	double day = Uniform(&seed) * days / 2;
	Datum *values = palloc(2 * MAX_PURCHASES * sizeof(Datum));
	int n = 0;

	do
	{
		double amount = spend * -log(Uniform(&seed) * Uniform(&seed) * Uniform(&seed));

		values[n++] = Float8GetDatum(day);
		values[n++] = Float8GetDatum(rint(amount * 100) / 100);
		day -= log(Uniform(&seed)) / rate;
	} while (day < days && Uniform(&seed) > a / (a + b) && n < 2 * MAX_PURCHASES);

	PG_RETURN_ARRAYTYPE_P(
		construct_array(values, n, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* A function of a model and a history that looks at the history and does nothing. */
PG_FUNCTION_INFO_V1(bench_trivial);
Datum
bench_trivial(PG_FUNCTION_ARGS)
{
	struct varlena *history = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));

	PG_RETURN_FLOAT8(VARSIZE_ANY_EXHDR(history) > 0 ? 0.5 : 0);
}

/* The same, returning a row of its result type filled with constants. */
PG_FUNCTION_INFO_V1(bench_row);
Datum
bench_row(PG_FUNCTION_ARGS)
{
	struct varlena *history = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	TupleDesc desc = fcinfo->flinfo->fn_extra;
	Datum values[MAX_COLUMNS];
	bool nulls[MAX_COLUMNS];

	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
			desc->natts > MAX_COLUMNS)
			elog(ERROR, "bench_row must return a row of at most %d columns", MAX_COLUMNS);
		desc = BlessTupleDesc(CreateTupleDescCopy(desc));
		fcinfo->flinfo->fn_extra = desc;
		MemoryContextSwitchTo(old);
	}
	for (int i = 0; i < desc->natts; i++)
	{
		nulls[i] = TupleDescAttr(desc, i)->atttypid != FLOAT8OID;
		values[i] = nulls[i] ? (Datum) 0 : Float8GetDatum(VARSIZE_ANY_EXHDR(history));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Transition of an aggregate that reads the bytes of its histories, and nothing else. */
PG_FUNCTION_INFO_V1(bench_read);
Datum
bench_read(PG_FUNCTION_ARGS)
{
	struct varlena *history = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	const char *data = VARDATA_ANY(history);
	Size size = VARSIZE_ANY_EXHDR(history);
	int64 sum = PG_GETARG_INT64(0);

	for (Size i = 0; i < size; i++)
		sum += data[i];
	PG_RETURN_INT64(sum);
}

/* ---- what a run needs besides ---- */

/* A value of the type that is returned, from the bytes that its send function gave. */
PG_FUNCTION_INFO_V1(bench_receive);
Datum
bench_receive(PG_FUNCTION_ARGS)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData message;
	Oid receive;
	Oid param;

	getTypeBinaryInputInfo(get_fn_expr_rettype(fcinfo->flinfo), &receive, &param);
	initStringInfo(&message);
	appendBinaryStringInfo(&message, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_DATUM(OidReceiveFunctionCall(receive, &message, param, -1));
}

/* Milliseconds of CPU that this backend has taken. */
PG_FUNCTION_INFO_V1(bench_cpu);
Datum
bench_cpu(PG_FUNCTION_ARGS)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	PG_RETURN_FLOAT8(1e3 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
					 1e-3 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
}

/* A line of /proc/self/status in megabytes; 0 where there is none. */
static double
Status(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kilobytes = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			sscanf(line + strlen(name), ": %ld", &kilobytes);
	if (file != NULL)
		fclose(file);
	return kilobytes / 1024.0;
}

/*
 * Memory of this backend: the most it ever had, its own now, and what of its memory are
 * buffers that it shares with others.
 */
PG_FUNCTION_INFO_V1(bench_memory);
Datum
bench_memory(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Datum values[3] = {Float8GetDatum(Status("VmHWM")),
					   Float8GetDatum(Status("VmRSS") - Status("RssShmem")),
					   Float8GetDatum(Status("RssShmem"))};
	bool nulls[3] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "bench_memory must return a row");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* Let the most that this backend ever had be what it has now. */
PG_FUNCTION_INFO_V1(bench_memory_reset);
Datum
bench_memory_reset(PG_FUNCTION_ARGS)
{
	FILE *file = fopen("/proc/self/clear_refs", "w");

	if (file != NULL)
	{
		fputs("5", file);
		fclose(file);
	}
	PG_RETURN_VOID();
}
