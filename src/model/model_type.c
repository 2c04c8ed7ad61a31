/*
 * model_type.c
 *		The type clv_model in SQL: input, output, casts, comparison.
 */
#include "model/model.h"

#include "common/json_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "model/model_json.h"
#include "model/model_private.h"

/* The packed model that the JSON describes. */
static ClvPackedModel *
ModelFromJson(Jsonb *json)
{
	ClvModel fitted;

	clv_model_from_json(json, &fitted);
	return clv_model_pack(&fitted);
}

/* The model as the text of its JSON. */
static char *
ModelText(const ClvPackedModel *model)
{
	ClvModel fitted;
	StringInfoData out;

	clv_model_unpack(model, &fitted);
	initStringInfo(&out);
	clv_model_append_json(&out, &fitted);
	return out.data;
}

/* clv_model_recv(internal) -> clv_model: the binary form, of which every byte is checked. */
PG_FUNCTION_INFO_V1(clv_model_recv);
Datum
clv_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo in = (StringInfo) PG_GETARG_POINTER(0);
	int start = in->cursor;
	ClvModel fitted;
	ClvPackedModel *model;

	clv_model_decode(in, &fitted);
	model = clv_model_pack(&fitted);
	clv_canonical_check(model, in->data + start, in->cursor - start, "clv_model");
	PG_RETURN_CLV_MODEL_P(model);
}

/* What is stored is what is sent. */
CLV_JSON_TYPE(clv_model, ModelFromJson, ModelText, PG_GETARG_CLV_MODEL_P);
