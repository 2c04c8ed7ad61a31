/*
 * json_type.h
 *		The functions of a type whose text is JSON, and whose stored bytes are canonical.
 */
#ifndef CLV_JSON_TYPE_H
#define CLV_JSON_TYPE_H

#include "common/canonical.h"
#include "common/input.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

/*
 * type_in, _out, _send, the casts type_to_jsonb and _from_jsonb, and the comparisons of
 * canonical.h: of_json makes the value of a Jsonb *, or raises an error; text_of makes the
 * text, palloc'd, of a detoasted value, which get_argument takes from an argument.
 */
#define CLV_JSON_TYPE(type, of_json, text_of, get_argument)                                        \
	static Datum type##_parse(const char *text)                                                    \
	{                                                                                              \
		Datum json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));                         \
                                                                                                   \
		PG_RETURN_POINTER(of_json(DatumGetJsonbP(json)));                                          \
	}                                                                                              \
	CLV_INPUT_FUNCTION(type##_in, type##_parse);                                                   \
	CLV_CANONICAL_FUNCTION(type##_out, CStringGetDatum(text_of(get_argument(0))));                 \
	CLV_CANONICAL_FUNCTION(type##_send, clv_canonical_send(fcinfo));                               \
	CLV_CANONICAL_FUNCTION(type##_from_jsonb, PointerGetDatum(of_json(PG_GETARG_JSONB_P(0))));     \
	CLV_CANONICAL_FUNCTION(                                                                        \
		type##_to_jsonb,                                                                           \
		DirectFunctionCall1(jsonb_in, CStringGetDatum(text_of(get_argument(0)))));                 \
	CLV_CANONICAL_TYPE(type)

#endif /* CLV_JSON_TYPE_H */
