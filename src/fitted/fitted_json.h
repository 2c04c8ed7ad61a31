/*
 * fitted_json.h
 *		Models to and from JSON, within this room.
 */
#ifndef CLV_FITTED_JSON_H
#define CLV_FITTED_JSON_H

#include "fitted/fitted.h"
#include "utils/jsonb.h"

extern void clv_fitted_append_json(StringInfo out, const ClvFitted *fitted);

extern void clv_fitted_from_json(Jsonb *json, ClvFitted *fitted);

/* {"r": 0.24, ...}: every parameter of the family, in any order. */
extern void clv_fitted_parameters_from_json(JsonbContainer *container, const ClvFamily *family,
											double *param);

#endif							/* CLV_FITTED_JSON_H */
