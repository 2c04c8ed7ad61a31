/*
 * exact.h
 *		Exact sums (math/exact_sum.h) as bytes and as text.
 *
 * Both hold the limbs from the lowest to the highest that is not zero, and the sign: equal sums
 * have equal forms, and a sum of numbers of like size has a few dozen bytes.
 */
#ifndef CLV_EXACT_H
#define CLV_EXACT_H

#include "clv.h"
#include "math/exact_sum.h"

/* Append the sum as bytes. */
extern void clv_exact_send(StringInfo out, const ClvExactSum *sum);

/* The sum that was sent; false where the bytes are none. */
extern bool clv_exact_recv(StringInfo in, ClvExactSum *sum);

/*
 * Append the sum as text: a whole number in hexadecimal digits and the power of two to multiply
 * it by, as "-1f3a4p-96"; or "0", "Infinity", "-Infinity", "NaN".
 */
extern void clv_exact_append(StringInfo out, const ClvExactSum *sum);

/* The sum behind such a text; false where it is none. */
extern bool clv_exact_parse(const char *text, ClvExactSum *sum);

#endif /* CLV_EXACT_H */
