/*
 * exact.c
 *		Exact sums as bytes and as text.
 */
#include "common/exact.h"

#include <math.h>

#include "libpq/pqformat.h"

/* The first byte of a sum. */
enum
{
	POSITIVE,
	NEGATIVE,
	UP,
	DOWN,
	NEITHER
};

/* A sum taken apart: the limbs of its absolute value from the lowest to the highest that is not
 * zero. */
typedef struct Digits
{
	int kind;
	int first; /* number of the lowest limb; 0 where there is none */
	int n;
	uint32 limb[CLV_EXACT_LIMBS];
} Digits;

/* Takes a sum apart. */
static void
Split(const ClvExactSum *sum, Digits *digits)
{
	double special = clv_exact_special(sum);
	ClvExactSum size;

	digits->first = digits->n = 0;
	if (special != 0)
	{
		digits->kind = isnan(special) ? NEITHER : special > 0 ? UP : DOWN;
		return;
	}
	digits->kind = clv_exact_magnitude(sum, &size) ? NEGATIVE : POSITIVE;
	for (int i = 0; i < CLV_EXACT_LIMBS; i++)
	{
		if (size.limb[i] == 0)
			continue;
		if (digits->n == 0)
			digits->first = i;
		digits->n = i + 1 - digits->first;
	}
	for (int i = 0; i < digits->n; i++)
		digits->limb[i] = (uint32) size.limb[digits->first + i];
}

/* Puts a sum together; false where there is none with these limbs, which need not be trimmed. */
static bool
Join(const Digits *digits, ClvExactSum *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->up = digits->kind == UP;
	sum->down = digits->kind == DOWN;
	sum->nan = digits->kind == NEITHER;
	if (digits->first + digits->n == CLV_EXACT_LIMBS && digits->limb[digits->n - 1] > PG_INT32_MAX)
		return false;
	for (int i = 0; i < digits->n; i++)
		sum->limb[digits->first + i] =
			digits->kind == NEGATIVE ? -(int64) digits->limb[i] : (int64) digits->limb[i];
	clv_exact_carry(sum);
	return true;
}

void
clv_exact_send(StringInfo out, const ClvExactSum *sum)
{
	Digits digits;

	Split(sum, &digits);
	pq_sendint8(out, digits.kind);
	pq_sendint8(out, digits.first);
	pq_sendint8(out, digits.n);
	for (int i = 0; i < digits.n; i++)
		pq_sendint32(out, digits.limb[i]);
}

/* Whether these are what Split() makes: nothing but what the sum needs. */
static bool
IsTrimmed(const Digits *digits)
{
	if (digits->n == 0)
		return digits->first == 0 && digits->kind != NEGATIVE;
	return digits->kind <= NEGATIVE && digits->limb[0] != 0 && digits->limb[digits->n - 1] != 0;
}

bool
clv_exact_recv(StringInfo in, ClvExactSum *sum)
{
	Digits digits;

	digits.kind = pq_getmsgbyte(in);
	digits.first = pq_getmsgbyte(in);
	digits.n = pq_getmsgbyte(in);
	if (digits.kind > NEITHER || digits.first + digits.n > CLV_EXACT_LIMBS)
		return false;
	for (int i = 0; i < digits.n; i++)
		digits.limb[i] = pq_getmsgint(in, 4);
	return IsTrimmed(&digits) && Join(&digits, sum);
}

static const char *const special_text[] = {
	[UP] = "Infinity", [DOWN] = "-Infinity", [NEITHER] = "NaN"};

void
clv_exact_append(StringInfo out, const ClvExactSum *sum)
{
	Digits digits;

	Split(sum, &digits);
	if (digits.kind > NEGATIVE)
		appendStringInfoString(out, special_text[digits.kind]);
	else if (digits.n == 0)
		appendStringInfoChar(out, '0');
	else
	{
		appendStringInfo(out, "%s%x", digits.kind == NEGATIVE ? "-" : "",
						 digits.limb[digits.n - 1]);
		for (int i = digits.n - 2; i >= 0; i--)
			appendStringInfo(out, "%08x", digits.limb[i]);
		appendStringInfo(out, "p%d", 32 * digits.first + CLV_EXACT_LOWEST);
	}
}

/* The number of hexadecimal digits at the start of the text, in lower case. */
static int
HexLength(const char *text)
{
	return (int) strspn(text, "0123456789abcdef");
}

/* Reads hexadecimal digits and a power of two as clv_exact_append() writes them; false where the
 * text is something else. */
static bool
ReadHex(const char *text, Digits *digits)
{
	int length = HexLength(text);
	const char *power = text + length;
	char *end;
	long exponent;

	if (length == 0 || length > 8 * CLV_EXACT_LIMBS || *power++ != 'p' ||
		strspn(power, "-0123456789") != strlen(power) || strlen(power) > 5)
		return false;
	exponent = strtol(power, &end, 10);
	if (*end != '\0' || end == power || exponent < CLV_EXACT_LOWEST || exponent % 32 != 0)
		return false;
	digits->first = (int) (exponent - CLV_EXACT_LOWEST) / 32;
	digits->n = (length + 7) / 8;
	if (digits->first + digits->n > CLV_EXACT_LIMBS)
		return false;
	for (int i = 0; i < digits->n; i++)
	{
		char limb[9] = "";
		int begin = Max(length - 8 * (i + 1), 0);

		memcpy(limb, text + begin, length - 8 * i - begin);
		digits->limb[i] = (uint32) strtoul(limb, NULL, 16);
	}
	return true;
}

bool
clv_exact_parse(const char *text, ClvExactSum *sum)
{
	Digits digits = {POSITIVE, 0, 0, {0}};

	for (int kind = UP; kind <= NEITHER; kind++)
		if (strcmp(text, special_text[kind]) == 0)
			digits.kind = kind;
	if (digits.kind == POSITIVE && strcmp(text, "0") != 0)
	{
		if (*text == '-')
		{
			digits.kind = NEGATIVE;
			text++;
		}
		if (!ReadHex(text, &digits))
			return false;
	}
	return Join(&digits, sum);
}
