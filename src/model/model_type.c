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

/* Input, output, send, recv, casts and comparison; the binary form is the stored one. */
CLV_JSON_TYPE(clv_model, ModelFromJson, ModelText, PG_GETARG_CLV_MODEL_P);
CLV_CANONICAL_RECV(clv_model, ClvModel, clv_model_decode, clv_model_pack);
