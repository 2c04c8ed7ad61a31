/*
 * model_json.h
 *		Models to and from JSON.
 */
#ifndef CLV_MODEL_JSON_H
#define CLV_MODEL_JSON_H

#include "model/model.h"
#include "utils/jsonb.h"

/* Append the model as JSON, as described in model_json.c. */
extern void clv_model_append_json(StringInfo out, const ClvModel *fitted);

/* Append the families that 'auto' tried as a JSON array; winner: with the chosen one, first. */
extern void clv_model_append_candidates(StringInfo out, const ClvModel *fitted, bool winner);

/* The model that the JSON describes; errors name the member and the value. */
extern void clv_model_from_json(Jsonb *json, ClvModel *fitted);

/* {"r": 0.24, ...}: every parameter of the family, in any order. */
extern void clv_model_parameters_from_json(JsonbContainer *container, const ClvFamily *family,
										   double *param);

/* [{"name": "gender", "purchase": 0.4, "churn": -0.2}, ...]: in the order of the vectors. */
extern void clv_model_covariates_from_json(JsonbContainer *container, ClvModelPart *part);

#endif /* CLV_MODEL_JSON_H */
