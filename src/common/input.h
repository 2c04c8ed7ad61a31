/*
 * input.h
 *		Input functions that report what is wrong with a text where their caller wants that.
 */
#ifndef CLV_INPUT_H
#define CLV_INPUT_H

#include "clv.h"

/* The value that parse makes of the text in argument 0, or its error: raised, or reported
 * (input.c). */
extern Datum clv_input(FunctionCallInfo fcinfo, Datum (*parse)(const char *text));

/* The input function of a type. */
#define CLV_INPUT_FUNCTION(name, parse)                                                            \
	PG_FUNCTION_INFO_V1(name);                                                                     \
	Datum name(PG_FUNCTION_ARGS)                                                                   \
	{                                                                                              \
		return clv_input(fcinfo, parse);                                                           \
	}                                                                                              \
	extern Datum name(PG_FUNCTION_ARGS)

#endif /* CLV_INPUT_H */
