/*
 * cuts_layout.c
 *		The bytes of clv_cuts.
 */
#include "score/cuts.h"

#include <math.h>

#include "common/arguments.h"
#include "libpq/pqformat.h"

#define CUTS_VERSION 2

/* Raises an error unless the cuts of a measure are numbers in ascending order. */
static void
CheckCuts(const ClvCutPoints *points, int measure)
{
	for (int i = 0; i < points->bins[measure] - 1; i++)
	{
		double cut = points->cut[measure][i];

		if (isnan(cut))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cut %d of %s must not be NaN", i + 1, clv_measure_name[measure])));
		if (i > 0 && cut < points->cut[measure][i - 1])
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "cuts of %s must be in ascending order: cut %d is less than the one before it",
					 clv_measure_name[measure], i + 1)));
	}
}

/* Raises an error unless the model can measure what is cut. */
static void
CheckModel(const ClvCutsParts *parts)
{
	ClvModel fitted;

	if (parts->model == NULL)
	{
		if (parts->points.bins[CLV_CHURN] > 0 || parts->points.bins[CLV_VALUE] > 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("cuts of churn and value need a model"),
							errhint("Give model => the model that the scores c and v are to be "
									"measured by.")));
		return;
	}
	clv_model_unpack(parts->model, &fitted);
	clv_model_need_purchase(&fitted);
}

void
clv_cuts_check_customers(const ClvCutsParts *parts, int64 least)
{
	if (parts->customers < least || parts->skipped < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid number of customers in clv_cuts: " INT64_FORMAT
							   " customers, " INT64_FORMAT " skipped",
							   parts->customers, parts->skipped)));
}

/* Raises an error unless the parts are cuts that rfmtc_cuts() or clv_cuts() could have made. */
static void
CheckParts(const ClvCutsParts *parts)
{
	bool any = false;

	if (parts->has_as_of)
		clv_check_date("as_of", parts->as_of);
	clv_cuts_check_customers(parts, 0);
	for (int i = 0; i < CLV_MEASURES; i++)
		if (parts->points.bins[i] > 0)
		{
			any = true;
			clv_check_bins(parts->points.bins[i]);
			CheckCuts(&parts->points, i);
		}
	if (!any)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("cuts need the limits of one score at least"),
						errhint("Give limits in ascending order, such as r => '{30,90}'.")));
	CheckModel(parts);
}

int
clv_cuts_shared_bins(const ClvCutsParts *parts)
{
	int bins = parts->points.bins[0];

	if (!parts->has_as_of || parts->customers < 1)
		return 0;
	for (int i = 1; i < CLV_MEASURES; i++)
		if (parts->points.bins[i] != (i < CLV_PLAIN_MEASURES || parts->model != NULL ? bins : 0))
			return 0;
	return bins;
}

ClvCuts *
clv_cuts_pack(const ClvCutsParts *parts)
{
	StringInfoData out;
	int shared;

	CheckParts(parts);
	shared = clv_cuts_shared_bins(parts);
	pq_begintypsend(&out);
	if (shared > 0)
	{
		pq_sendbyte(&out, 1);
		pq_sendbyte(&out, shared);
	}
	else
	{
		pq_sendbyte(&out, CUTS_VERSION);
		for (int i = 0; i < CLV_MEASURES; i++)
			pq_sendbyte(&out, parts->points.bins[i]);
		pq_sendbyte(&out, parts->has_as_of);
	}
	pq_sendint32(&out, parts->has_as_of ? parts->as_of : 0);
	pq_sendint64(&out, parts->customers);
	pq_sendint64(&out, parts->skipped);
	for (int i = 0; i < CLV_MEASURES; i++)
		for (int j = 0; j < parts->points.bins[i] - 1; j++)
			pq_sendfloat8(&out, parts->points.cut[i][j] + 0.0); /* no -0 */
	if (parts->model != NULL)
	{
		ClvModel fitted;
		ClvPackedModel *model;

		/* the bytes may have been received from a client; these are the canonical ones */
		clv_model_unpack(parts->model, &fitted);
		model = clv_model_pack(&fitted);
		pq_sendbytes(&out, VARDATA_ANY(model), VARSIZE_ANY_EXHDR(model));
	}
	return (ClvCuts *) pq_endtypsend(&out);
}

/* Reads what comes before the cuts; bins is 0 for version 2, where each measure has its own. */
static void
UnpackHead(StringInfo in, int bins, ClvCutsParts *parts)
{
	for (int i = 0; bins == 0 && i < CLV_MEASURES; i++)
		if ((parts->points.bins[i] = pq_getmsgbyte(in)) > 0)
			clv_check_bins(parts->points.bins[i]);
	parts->has_as_of = bins > 0 || pq_getmsgbyte(in) != 0;
	parts->as_of = (DateADT) (int32) pq_getmsgint(in, 4);
	parts->customers = pq_getmsgint64(in);
	parts->skipped = pq_getmsgint64(in);
}

/* Sets the bins of version 1: those of all measures, if what is left is more than that of plain
 * ones. */
static void
ShareBins(StringInfo in, int bins, ClvCutPoints *points)
{
	int plain = CLV_PLAIN_MEASURES * (bins - 1) * (int) sizeof(double);
	int measures = in->len - in->cursor > plain ? CLV_MEASURES : CLV_PLAIN_MEASURES;

	for (int i = 0; i < measures; i++)
		points->bins[i] = bins;
}

void
clv_cuts_unpack(StringInfo in, ClvCutsParts *parts)
{
	int version = pq_getmsgbyte(in);
	int bins = 0;
	int size;

	if (version < 1 || version > CUTS_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_cuts: %d", version),
						errdetail("This version of clv reads versions 1 to %d.", CUTS_VERSION)));
	memset(parts, 0, sizeof(*parts));
	if (version == 1)
	{
		bins = pq_getmsgbyte(in);
		clv_check_bins(bins);
	}
	UnpackHead(in, bins, parts);
	if (version == 1)
	{
		clv_cuts_check_customers(parts, 1);
		ShareBins(in, bins, &parts->points);
	}
	for (int i = 0; i < CLV_MEASURES; i++)
		for (int j = 0; j < parts->points.bins[i] - 1; j++)
			parts->points.cut[i][j] = pq_getmsgfloat8(in);
	size = in->len - in->cursor;
	if (size > 0)
	{
		parts->model = palloc(VARHDRSZ + size);
		SET_VARSIZE(parts->model, VARHDRSZ + size);
		pq_copymsgbytes(in, VARDATA(parts->model), size);
	}
	pq_getmsgend(in);
	CheckParts(parts);
}

void
clv_cuts_unpack_value(const ClvCuts *cuts, ClvCutsParts *parts)
{
	StringInfoData in = clv_bytes_of(cuts);

	clv_cuts_unpack(&in, parts);
}
