/*
 * exact.h
 *		Exact sums (math/exact_sum.h) on their way between processes.
 */
#ifndef CLV_EXACT_H
#define CLV_EXACT_H

#include "clv.h"
#include "math/exact_sum.h"

/* Append the sum, which is carried before. */
extern void clv_exact_send(StringInfo out, ClvExactSum *sum);

/* The sum that was sent; false where the bytes are none. */
extern bool clv_exact_recv(StringInfo in, ClvExactSum *sum);

#endif /* CLV_EXACT_H */
