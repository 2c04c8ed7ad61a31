/*
 * layout.h
 *		The bytes of a history, and how to read and write them.
 *
 * After the varlena header:
 *
 *		1 byte		version (4 bits), occasion follows (1 bit), form (3 bits):
 *					0 to 6: amounts are integers with that many decimals; 7: wide
 *		varint		the occasion in days, where it is not 1
 *		days		in ascending order, each
 *					varint		(distance << 2) | kind
 *					varint		number of unknown amounts (CLV_DAY_MIXED)
 *					amount		(all but CLV_DAY_UNKNOWN)
 *
 * The distance is that from the day before, at least 1; for the first one it is
 * the zigzag of the day. An amount is the zigzag varint of its units, or, in the
 * wide form, a varint length and the canonical digits. Varints hold 7 bits a
 * byte, the lowest first, and are as short as they can be.
 *
 * The bytes are canonical: a function of the multiset of transactions alone. The
 * scale is the smallest that holds every day's net amount; the wide form is used
 * only where that is more than 6 or where the absolute amounts together exceed
 * 64 bits. So no partial sum over a history that is not wide can overflow.
 *
 * While an aggregate runs, its log holds days in the same coding, but in order
 * of arrival: there every distance is a zigzag.
 */
#ifndef CLV_HISTORY_LAYOUT_H
#define CLV_HISTORY_LAYOUT_H

#include "history/decimal.h"
#include "history/history.h"

#define CLV_HISTORY_VERSION 1

#define CLV_FORM_WIDE 7
#define CLV_FORM_MASK 0x07
#define CLV_OCCASION_FLAG 0x08
#define CLV_VERSION_SHIFT 4

#define CLV_DAY_PURCHASE 0 /* bought, all amounts known */
#define CLV_DAY_UNKNOWN 1  /* bought, one amount unknown, no other (or net zero) */
#define CLV_DAY_REFUND 2   /* refunds only */
#define CLV_DAY_MIXED 3    /* bought, some amounts unknown */

/* Far more unknown amounts than a day can have, and far from overflowing. */
#define CLV_MAX_UNKNOWN INT64CONST(1000000000000000)

/* A distance has 35 bits, a count and an amount 64 each. */
#define CLV_MAX_DAY_SIZE 25
#define CLV_MAX_HEADER_SIZE 6

/* The varlena; its bytes are described above. */
struct ClvHistory
{
	int32 vl_len_;
	uint8 data[FLEXIBLE_ARRAY_MEMBER];
};

/* A day of a history. */
typedef struct ClvDay
{
	DateADT day;
	int32 length;       /* of digits */
	int64 unknown;      /* purchases of unknown amount */
	int64 units;        /* net of the known amounts; unless wide */
	const char *digits; /* the same, wide: canonical, not terminated */
	bool bought;        /* false: refunds only */
} ClvDay;

/* A reader of the days of a history, one after another. */
typedef struct ClvReader
{
	const uint8 *next;
	const uint8 *end;
	int64 day; /* the day read last */
	int32 occasion;
	int32 scale; /* unless wide */
	bool wide;
	bool zigzag;  /* the next distance is one */
	bool log;     /* all are */
	int sqlstate; /* what to raise where the bytes are invalid */
} ClvReader;

/* Read the days of a history, which must be detoasted (packed is enough). */
extern void clv_reader_open(ClvReader *reader, const ClvHistory *history);

/* Read bytes of that size without the varlena header; sqlstate is raised where they are invalid. */
extern void clv_reader_header(ClvReader *reader, const uint8 *data, Size size, int sqlstate);

/* Raises the error of invalid bytes. */
extern void pg_attribute_noreturn() clv_reader_broken(const ClvReader *reader);

/* An error unless the day is possible: the coding alone admits more. */
extern void clv_check_day(const ClvReader *reader, const ClvDay *day);

/* The first day of the cell of the grid, which is anchored on Monday 2001-01-01. */
extern DateADT clv_grid_day(DateADT day, int32 occasion);

/* A signed number as an unsigned one, small where its absolute value is: 0, -1, 1, -2 become 0, 1,
 * 2, 3. */
static inline uint64
ZigzagEncode(int64 value)
{
	return ((uint64) value << 1) ^ (uint64) (value >> 63);
}

/* The inverse of ZigzagEncode. */
static inline int64
ZigzagDecode(uint64 value)
{
	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

/* Write a varint; returns where it ends. */
static inline uint8 *
WriteVarint(uint8 *out, uint64 value)
{
	while (value >= 0x80)
	{
		*out++ = (uint8) value | 0x80;
		value >>= 7;
	}
	*out++ = (uint8) value;
	return out;
}

/* False where the bytes end before the number does. Two bytes hold most numbers: they need no loop.
 */
static pg_attribute_always_inline bool
TryVarint(const uint8 **bytes, const uint8 *end, uint64 *value)
{
	const uint8 *next = *bytes;
	int shift = 14;
	uint8 byte;

	if (unlikely(next >= end))
		return false;
	byte = *next++;
	*value = byte & 0x7F;
	if (byte & 0x80)
	{
		if (unlikely(next >= end))
			return false;
		byte = *next++;
		*value |= (uint64) (byte & 0x7F) << 7;
		for (; byte & 0x80; shift += 7)
		{
			if (unlikely(next >= end || shift > 63))
				return false;
			byte = *next++;
			*value |= (uint64) (byte & 0x7F) << shift;
		}
	}
	*bytes = next;
	return true;
}

/* The next varint; an error where the bytes end before it does. */
static inline uint64
ReadVarint(ClvReader *reader)
{
	uint64 value;

	if (!TryVarint(&reader->next, reader->end, &value))
		clv_reader_broken(reader);
	return value;
}

/* The next day, or false after the last. Inlined by force: what the caller does not ask for is not
 * worked out. */
static pg_attribute_always_inline bool
ReadDay(ClvReader *reader, ClvDay *day)
{
	uint64 head;
	int kind;

	if (reader->next >= reader->end)
		return false;
	head = ReadVarint(reader);
	kind = head & 3;
	head >>= 2;
	if (reader->zigzag)
	{
		head = (uint64) ZigzagDecode(head);
		reader->zigzag = reader->log;
	}
	/* unsigned, as corrupted bytes may add up to anything */
	reader->day = (int64) ((uint64) reader->day + head);
	day->day = (DateADT) reader->day;
	day->bought = kind != CLV_DAY_REFUND;
	day->unknown = kind == CLV_DAY_UNKNOWN;
	day->units = 0;
	day->digits = NULL;
	day->length = 0;
	if (kind == CLV_DAY_MIXED)
		day->unknown = (int64) ReadVarint(reader);
	if (kind != CLV_DAY_UNKNOWN)
	{
		uint64 amount = ReadVarint(reader);

		if (likely(!reader->wide))
			day->units = ZigzagDecode(amount);
		else
		{
			if (amount == 0 || amount > (uint64) (reader->end - reader->next))
				clv_reader_broken(reader);
			day->digits = (const char *) reader->next;
			day->length = (int32) amount;
			reader->next += amount;
		}
	}
	else if (reader->wide)
	{
		day->digits = "0";
		day->length = 1;
	}
	return true;
}

/* Whether the net amount of the day is 0. */
static inline bool
DayIsZero(const ClvDay *day, bool wide)
{
	return wide ? (day->length == 1 && day->digits[0] == '0') : day->units == 0;
}

/* The kind of a day, CLV_DAY_PURCHASE to CLV_DAY_MIXED. */
static inline int
DayKind(const ClvDay *day, bool wide)
{
	if (day->unknown == 0)
		return day->bought ? CLV_DAY_PURCHASE : CLV_DAY_REFUND;
	return day->unknown == 1 && DayIsZero(day, wide) ? CLV_DAY_UNKNOWN : CLV_DAY_MIXED;
}

/* Bytes that WriteDay needs at most. */
static inline Size
DaySize(const ClvDay *day, bool wide)
{
	return CLV_MAX_DAY_SIZE + (wide ? day->length : 0);
}

/* Write a day, its distance already coded; returns where it ends. */
static inline uint8 *
WriteDay(uint8 *out, const ClvDay *day, uint64 distance, bool wide)
{
	int kind = DayKind(day, wide);

	out = WriteVarint(out, distance << 2 | kind);
	if (kind == CLV_DAY_MIXED)
		out = WriteVarint(out, day->unknown);
	if (kind == CLV_DAY_UNKNOWN)
		return out;
	if (!wide)
		return WriteVarint(out, ZigzagEncode(day->units));
	out = WriteVarint(out, day->length);
	memcpy(out, day->digits, day->length);
	return out + day->length;
}

#endif /* CLV_HISTORY_LAYOUT_H */
