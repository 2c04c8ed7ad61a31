/*
 * expanded_type.h
 *		The functions of a type that is an expanded object while it grows, and canonical bytes
 *		where it is stored.
 */
#ifndef CLV_EXPANDED_TYPE_H
#define CLV_EXPANDED_TYPE_H

#include "clv.h"

#include "utils/expandeddatum.h"

/*
 * Of a struct that begins with an ExpandedObjectHeader hdr and has a member flat, the stored form
 * that was made when its size was asked for: methods, those of the object; prefix_writable() and
 * prefix_view(), which the module's header declares; and for the file OfStored(stored, parent),
 * the value of a stored form, below parent.
 *
 * pack(value) makes the stored form in the current context, unpack(StringInfo, parent) the value
 * of its bytes below parent, or raises an error; prefix_copy(value, parent) copies.
 */
#define CLV_EXPANDED_TYPE(prefix, value_type, stored_type, pack, unpack)                           \
	static stored_type *pack(const value_type *value);                                             \
	static value_type *unpack(StringInfo in, MemoryContext parent);                                \
                                                                                                   \
	static Size FlatSize(ExpandedObjectHeader *object)                                             \
	{                                                                                              \
		value_type *value = (value_type *) object;                                                 \
		MemoryContext caller = MemoryContextSwitchTo(object->eoh_context);                         \
		stored_type *flat = pack(value);                                                           \
                                                                                                   \
		MemoryContextSwitchTo(caller);                                                             \
		if (value->flat != NULL)                                                                   \
			pfree(value->flat);                                                                    \
		value->flat = flat;                                                                        \
		return VARSIZE(flat);                                                                      \
	}                                                                                              \
                                                                                                   \
	static void FlattenInto(ExpandedObjectHeader *object, void *result, Size size)                 \
	{                                                                                              \
		memcpy(result, ((value_type *) object)->flat, size);                                       \
	}                                                                                              \
                                                                                                   \
	static const ExpandedObjectMethods methods = {FlatSize, FlattenInto};                          \
                                                                                                   \
	static value_type *Expanded(Datum datum)                                                       \
	{                                                                                              \
		ExpandedObjectHeader *object;                                                              \
                                                                                                   \
		if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))                                  \
			return NULL;                                                                           \
		object = DatumGetEOHP(datum);                                                              \
		return object->eoh_methods == &methods ? (value_type *) object : NULL;                     \
	}                                                                                              \
                                                                                                   \
	static value_type *OfStored(const stored_type *stored, MemoryContext parent)                   \
	{                                                                                              \
		StringInfoData in = clv_bytes_of(stored);                                                  \
                                                                                                   \
		return unpack(&in, parent);                                                                \
	}                                                                                              \
                                                                                                   \
	value_type *prefix##_writable(Datum datum, MemoryContext parent)                               \
	{                                                                                              \
		value_type *value = Expanded(datum);                                                       \
                                                                                                   \
		if (value == NULL)                                                                         \
			return OfStored((stored_type *) PG_DETOAST_DATUM_PACKED(datum), parent);               \
		return VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum))                              \
				   ? value                                                                         \
				   : prefix##_copy(value, parent);                                                 \
	}                                                                                              \
                                                                                                   \
	const value_type *prefix##_view(Datum datum)                                                   \
	{                                                                                              \
		value_type *value = Expanded(datum);                                                       \
                                                                                                   \
		return value != NULL ? value                                                               \
							 : OfStored((stored_type *) PG_DETOAST_DATUM_PACKED(datum),            \
										CurrentMemoryContext);                                     \
	}                                                                                              \
	extern const value_type *prefix##_view(Datum datum)

#endif /* CLV_EXPANDED_TYPE_H */
