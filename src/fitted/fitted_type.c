/*
 * fitted_type.c
 *		The type clv_model as SQL sees it: input, output, casts, comparison.
 */
#include "fitted/fitted.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "fitted/fitted_json.h"
#include "fitted/fitted_private.h"

static ClvModel *
ModelFromJson(Jsonb *json)
{
	ClvFitted	fitted;

	clv_fitted_from_json(json, &fitted);
	return clv_fitted_pack(&fitted);
}

static char *
ModelText(const ClvModel *model)
{
	ClvFitted	fitted;
	StringInfoData out;

	clv_fitted_unpack(model, &fitted);
	initStringInfo(&out);
	clv_fitted_append_json(&out, &fitted);
	return out.data;
}

PG_FUNCTION_INFO_V1(clv_model_in);
Datum
clv_model_in(PG_FUNCTION_ARGS)
{
	Datum		json = DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0));

	PG_RETURN_CLV_MODEL_P(ModelFromJson(DatumGetJsonbP(json)));
}

PG_FUNCTION_INFO_V1(clv_model_out);
Datum
clv_model_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(ModelText(PG_GETARG_CLV_MODEL_P(0)));
}

PG_FUNCTION_INFO_V1(clv_model_recv);
Datum
clv_model_recv(PG_FUNCTION_ARGS)
{
	ClvFitted	fitted;

	clv_fitted_decode((StringInfo) PG_GETARG_POINTER(0), &fitted);
	PG_RETURN_CLV_MODEL_P(clv_fitted_pack(&fitted));
}

/* What is stored is what is sent. */
PG_FUNCTION_INFO_V1(clv_model_send);
Datum
clv_model_send(PG_FUNCTION_ARGS)
{
	ClvModel   *model = PG_GETARG_CLV_MODEL_P(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbytes(&out, VARDATA_ANY(model), VARSIZE_ANY_EXHDR(model));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

PG_FUNCTION_INFO_V1(clv_model_to_jsonb);
Datum
clv_model_to_jsonb(PG_FUNCTION_ARGS)
{
	char	   *text = ModelText(PG_GETARG_CLV_MODEL_P(0));

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

PG_FUNCTION_INFO_V1(clv_model_from_jsonb);
Datum
clv_model_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_CLV_MODEL_P(ModelFromJson(PG_GETARG_JSONB_P(0)));
}

/* ---- comparison: an order of the bytes, which means nothing but is one ---- */

static int
CompareModels(FunctionCallInfo fcinfo)
{
	ClvModel   *a = PG_GETARG_CLV_MODEL_P(0);
	ClvModel   *b = PG_GETARG_CLV_MODEL_P(1);
	Size		a_size = VARSIZE_ANY_EXHDR(a);
	Size		b_size = VARSIZE_ANY_EXHDR(b);
	int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_size, b_size));

	if (order == 0)
		order = (a_size > b_size) - (a_size < b_size);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

#define MODEL_COMPARISON(name, condition) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) \
	{ \
		int			order = CompareModels(fcinfo); \
\
		PG_RETURN_BOOL(condition); \
	} \
	extern Datum name(PG_FUNCTION_ARGS)

MODEL_COMPARISON(clv_model_eq, order == 0);
MODEL_COMPARISON(clv_model_ne, order != 0);
MODEL_COMPARISON(clv_model_lt, order < 0);
MODEL_COMPARISON(clv_model_le, order <= 0);
MODEL_COMPARISON(clv_model_gt, order > 0);
MODEL_COMPARISON(clv_model_ge, order >= 0);

PG_FUNCTION_INFO_V1(clv_model_cmp);
Datum
clv_model_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(CompareModels(fcinfo));
}

PG_FUNCTION_INFO_V1(clv_model_hash);
Datum
clv_model_hash(PG_FUNCTION_ARGS)
{
	ClvModel   *model = PG_GETARG_CLV_MODEL_P(0);
	Datum		hash = hash_any((unsigned char *) VARDATA_ANY(model), VARSIZE_ANY_EXHDR(model));

	PG_FREE_IF_COPY(model, 0);
	PG_RETURN_DATUM(hash);
}

PG_FUNCTION_INFO_V1(clv_model_hash_extended);
Datum
clv_model_hash_extended(PG_FUNCTION_ARGS)
{
	ClvModel   *model = PG_GETARG_CLV_MODEL_P(0);
	Datum		hash = hash_any_extended((unsigned char *) VARDATA_ANY(model),
										 VARSIZE_ANY_EXHDR(model), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(model, 0);
	PG_RETURN_DATUM(hash);
}
