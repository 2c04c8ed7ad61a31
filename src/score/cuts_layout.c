/*
 * cuts_layout.c
 *		The bytes of clv_cuts.
 */
#include "score/cuts.h"

#include <math.h>

#include "common/arguments.h"
#include "libpq/pqformat.h"

#define CUTS_VERSION 1

/* Raises an error unless the cuts of a measure are numbers in ascending order. */
static void
CheckCuts(const ClvCutPoints *points, int measure)
{
	for (int i = 0; i < points->bins - 1; i++)
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

/* Raises an error unless the parts are cuts that rfmtc_cuts() could have made. */
static void
CheckParts(const ClvCutsParts *parts)
{
	ClvModel fitted;

	clv_check_bins(parts->points.bins);
	clv_check_date("as_of", parts->as_of);
	if (parts->customers < 1 || parts->skipped < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid number of customers in clv_cuts: " INT64_FORMAT
							   " customers, " INT64_FORMAT " skipped",
							   parts->customers, parts->skipped)));
	for (int i = 0; i < CLV_MEASURES; i++)
		if (i < CLV_PLAIN_MEASURES || parts->model != NULL)
			CheckCuts(&parts->points, i);
	if (parts->model != NULL)
	{
		clv_model_unpack(parts->model, &fitted);
		clv_model_need_purchase(&fitted);
	}
}

ClvCuts *
clv_cuts_pack(const ClvCutsParts *parts)
{
	StringInfoData out;
	int measures = parts->model != NULL ? CLV_MEASURES : CLV_PLAIN_MEASURES;

	CheckParts(parts);
	pq_begintypsend(&out);
	pq_sendbyte(&out, CUTS_VERSION);
	pq_sendbyte(&out, parts->points.bins);
	pq_sendint32(&out, parts->as_of);
	pq_sendint64(&out, parts->customers);
	pq_sendint64(&out, parts->skipped);
	for (int i = 0; i < measures; i++)
		for (int j = 0; j < parts->points.bins - 1; j++)
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

void
clv_cuts_unpack(StringInfo in, ClvCutsParts *parts)
{
	int version = pq_getmsgbyte(in);
	int size;
	int measures;

	if (version != CUTS_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_cuts: %d", version),
						errdetail("This version of clv reads version %d.", CUTS_VERSION)));
	memset(parts, 0, sizeof(*parts));
	parts->points.bins = pq_getmsgbyte(in);
	clv_check_bins(parts->points.bins);
	parts->as_of = (DateADT) (int32) pq_getmsgint(in, 4);
	parts->customers = pq_getmsgint64(in);
	parts->skipped = pq_getmsgint64(in);
	size = in->len - in->cursor;
	measures = CLV_PLAIN_MEASURES;
	if (size > CLV_PLAIN_MEASURES * (parts->points.bins - 1) * (int) sizeof(double))
		measures = CLV_MEASURES;
	for (int i = 0; i < measures; i++)
	{
		parts->points.known[i] = true;
		for (int j = 0; j < parts->points.bins - 1; j++)
			parts->points.cut[i][j] = pq_getmsgfloat8(in);
	}
	if (measures == CLV_MEASURES)
	{
		size = in->len - in->cursor;
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
	StringInfoData in;

	in.data = VARDATA_ANY(cuts);
	in.len = VARSIZE_ANY_EXHDR(cuts);
	in.maxlen = in.len;
	in.cursor = 0;
	clv_cuts_unpack(&in, parts);
}
