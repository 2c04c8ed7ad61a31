/*
 * fitted_json.h
 *		Models to and from JSON, within this room.
 */
#ifndef CLV_FITTED_JSON_H
#define CLV_FITTED_JSON_H

#include "fitted/fitted.h"
#include "utils/jsonb.h"

extern void clv_fitted_append_json(StringInfo out, const ClvFitted *fitted);

/* The losers of 'auto' and before them the winner: a JSON array. */
extern void clv_fitted_append_candidates(StringInfo out, const ClvFitted *fitted, bool winner);

extern void clv_fitted_from_json(Jsonb *json, ClvFitted *fitted);

/* {"r": 0.24, ...}: every parameter of the family, in any order. */
extern void clv_fitted_parameters_from_json(JsonbContainer *container, const ClvFamily *family,
											double *param);

/* [{"name": "gender", "purchase": 0.4, "churn": -0.2}, ...]: in the order of the vectors. */
extern void clv_fitted_covariates_from_json(JsonbContainer *container, ClvFittedPart *part);

#endif							/* CLV_FITTED_JSON_H */
