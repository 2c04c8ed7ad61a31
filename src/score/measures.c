/*
 * measures.c
 *		From a history to its measures, and from measures to scores.
 */
#include "score/score.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

const char *const clv_measure_name[CLV_MEASURES] = {
	"recency", "frequency", "monetary", "tenure", "churn", "value",
};

const char clv_score_letter[CLV_MEASURES + 1] = "rfmtcv";

/*
 * A high score is good, but high recency and churn are bad. Their scores are reversed,
 * not their values: so equal values still share a score, and the cuts remain quantiles of
 * the values that the user sees.
 */
const bool clv_low_is_good[CLV_MEASURES] = {
	[CLV_RECENCY] = true,
	[CLV_CHURN] = true,
};

bool
clv_measure(const ClvHistory *history, const ClvModelCache *model, ClvValuer *valuer, DateADT as_of,
			double value[CLV_MEASURES])
{
	ClvSummary summary;
	double p_alive;

	clv_history_summarize(history, as_of,
						  model != NULL ? model->fitted.spend_basis : CLV_SPEND_REPEAT, &summary);
	if (summary.purchases == 0)
		return false;
	value[CLV_RECENCY] = (double) as_of - summary.last;
	value[CLV_FREQUENCY] = summary.purchases;
	value[CLV_MONETARY] = summary.total_spend;
	value[CLV_TENURE] = (double) as_of - summary.first;
	value[CLV_CHURN] = value[CLV_VALUE] = NAN;
	if (model != NULL)
	{
		if (!clv_valuer_measure(valuer, model, history, as_of, &summary, CLV_DAYS_PER_YEAR,
								&p_alive, &value[CLV_VALUE]))
			return false;
		value[CLV_CHURN] = 1.0 - p_alive;
	}
	return true;
}

/* How many of the ascending cuts lie strictly below the value, by bisection. */
static int
CutsBelow(const double *cut, int count, double value)
{
	int low = 0;

	while (count > 0)
	{
		int half = count / 2;

		if (cut[low + half] < value)
		{
			low += half + 1;
			count -= half + 1;
		}
		else
			count = half;
	}
	return low;
}

void
clv_score(const ClvCutPoints *cuts, const double value[CLV_MEASURES], ClvScores *scores)
{
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		int below;

		if (cuts->bins[i] == 0 || isnan(value[i]))
		{
			scores->score[i] = 0;
			continue;
		}
		below = CutsBelow(cuts->cut[i], cuts->bins[i] - 1, value[i]);
		scores->score[i] = clv_low_is_good[i] ? cuts->bins[i] - below : 1 + below;
	}
	scores->p_alive = 1.0 - value[CLV_CHURN];
}

void
clv_check_bins(int bins)
{
	if (bins < CLV_MIN_BINS || bins > CLV_MAX_BINS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("number of bins must be between %d and %d, not %d", CLV_MIN_BINS,
							   CLV_MAX_BINS, bins)));
}

/* ---- the row type clv_scores ---- */

/* Its columns: the scores, and P(alive). */
#define SCORES_COLUMNS (CLV_MEASURES + 1)

TupleDesc
clv_scores_desc(FmgrInfo *flinfo)
{
	MemoryContext old = MemoryContextSwitchTo(flinfo->fn_mcxt);
	TupleDesc desc = lookup_rowtype_tupdesc_copy(get_func_rettype(flinfo->fn_oid), -1);

	MemoryContextSwitchTo(old);
	clv_check_row_type(desc);
	return desc;
}

Datum
clv_scores_datum(TupleDesc desc, const ClvScores *scores)
{
	Datum values[SCORES_COLUMNS];
	bool nulls[SCORES_COLUMNS];

	for (int i = 0; i < CLV_MEASURES; i++)
	{
		values[i] = Int16GetDatum(scores->score[i]);
		nulls[i] = scores->score[i] == 0;
	}
	nulls[CLV_MEASURES] = isnan(scores->p_alive);
	values[CLV_MEASURES] = Float8GetDatum(nulls[CLV_MEASURES] ? 0 : scores->p_alive);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

bool
clv_scores_read(TupleDesc desc, HeapTupleHeader row, ClvScores *scores)
{
	HeapTupleData tuple;
	Datum values[SCORES_COLUMNS];
	bool nulls[SCORES_COLUMNS];
	bool any;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	heap_deform_tuple(&tuple, desc, values, nulls);
	any = !nulls[CLV_MEASURES];
	scores->p_alive = any ? DatumGetFloat8(values[CLV_MEASURES]) : NAN;
	if (any && !(scores->p_alive >= 0 && scores->p_alive <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("p_alive = %s of scores is out of range",
							   clv_number_text(scores->p_alive)),
						errdetail("It is a probability, from 0 to 1.")));
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		int score = nulls[i] ? 0 : DatumGetInt16(values[i]);

		if (!nulls[i] && (score < 1 || score > CLV_MAX_BINS))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("score %c = %d is out of range", clv_score_letter[i], score),
					 errdetail("Scores run from 1 (worst) to at most %d (best).", CLV_MAX_BINS)));
		scores->score[i] = score;
		any |= !nulls[i];
	}
	return any;
}
