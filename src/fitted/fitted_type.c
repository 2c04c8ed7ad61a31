/*
 * fitted_type.c
 *		The type clv_model as SQL sees it: input, output, casts, comparison.
 */
#include "fitted/fitted.h"

#include "canonical.h"
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
CLV_CANONICAL_FUNCTION(clv_model_send, clv_canonical_send(fcinfo));

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

CLV_CANONICAL_TYPE(clv_model);
