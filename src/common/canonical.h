/*
 * canonical.h
 *		Functions of the types with canonical stored bytes: equal values are equal
 *		bytes, so that comparing and hashing is a matter of bytes.
 *
 * The order means nothing; it is there for DISTINCT, GROUP BY and UNIQUE.
 */
#ifndef CLV_CANONICAL_H
#define CLV_CANONICAL_H

#include "clv.h"

/* memcmp() of the two arguments, the shorter first where one begins the other. */
extern int clv_canonical_compare(FunctionCallInfo fcinfo);

extern Datum clv_canonical_hash(FunctionCallInfo fcinfo);
extern Datum clv_canonical_hash_extended(FunctionCallInfo fcinfo);

/* Errors unless the value is what came in, byte for byte: what is not canonical has another form.
 */
extern void clv_canonical_check(const void *value, const char *data, Size size, const char *type);

/* The binary form of types that are sent as they are stored. */
extern Datum clv_canonical_send(FunctionCallInfo fcinfo);

#define CLV_CANONICAL_FUNCTION(name, result)                                                       \
	PG_FUNCTION_INFO_V1(name);                                                                     \
	Datum name(PG_FUNCTION_ARGS)                                                                   \
	{                                                                                              \
		return result;                                                                             \
	}                                                                                              \
	extern Datum name(PG_FUNCTION_ARGS)

/* The functions behind = <> < <= > >= and the btree and hash operator classes of a type. */
#define CLV_CANONICAL_TYPE(type)                                                                   \
	CLV_CANONICAL_FUNCTION(type##_eq, BoolGetDatum(clv_canonical_compare(fcinfo) == 0));           \
	CLV_CANONICAL_FUNCTION(type##_ne, BoolGetDatum(clv_canonical_compare(fcinfo) != 0));           \
	CLV_CANONICAL_FUNCTION(type##_lt, BoolGetDatum(clv_canonical_compare(fcinfo) < 0));            \
	CLV_CANONICAL_FUNCTION(type##_le, BoolGetDatum(clv_canonical_compare(fcinfo) <= 0));           \
	CLV_CANONICAL_FUNCTION(type##_gt, BoolGetDatum(clv_canonical_compare(fcinfo) > 0));            \
	CLV_CANONICAL_FUNCTION(type##_ge, BoolGetDatum(clv_canonical_compare(fcinfo) >= 0));           \
	CLV_CANONICAL_FUNCTION(type##_cmp, Int32GetDatum(clv_canonical_compare(fcinfo)));              \
	CLV_CANONICAL_FUNCTION(type##_hash, clv_canonical_hash(fcinfo));                               \
	CLV_CANONICAL_FUNCTION(type##_hash_extended, clv_canonical_hash_extended(fcinfo))

/*
 * type_recv: the value of the binary form, which unpack(StringInfo, parts_type *) reads and
 * checks; an error unless it is the form that pack(const parts_type *) makes, palloc'd.
 */
#define CLV_CANONICAL_RECV(type, parts_type, unpack, pack)                                         \
	PG_FUNCTION_INFO_V1(type##_recv);                                                              \
	Datum type##_recv(PG_FUNCTION_ARGS)                                                            \
	{                                                                                              \
		StringInfo in = (StringInfo) PG_GETARG_POINTER(0);                                         \
		int start = in->cursor;                                                                    \
		parts_type parts;                                                                          \
		void *value;                                                                               \
                                                                                                   \
		unpack(in, &parts);                                                                        \
		value = pack(&parts);                                                                      \
		clv_canonical_check(value, in->data + start, in->cursor - start, #type);                   \
		PG_RETURN_POINTER(value);                                                                  \
	}                                                                                              \
	extern Datum type##_recv(PG_FUNCTION_ARGS)

#endif /* CLV_CANONICAL_H */
