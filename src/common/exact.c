/*
 * exact.c
 *		Exact sums on their way between processes.
 */
#include "common/exact.h"

#include "libpq/pqformat.h"

#define LAST_LIMB (CLV_EXACT_LIMBS - 1)

void
clv_exact_send(StringInfo out, ClvExactSum *sum)
{
	clv_exact_carry(sum);
	pq_sendint8(out, sum->up | sum->down << 1 | sum->nan << 2);
	for (int i = 0; i < CLV_EXACT_LIMBS; i++)
		pq_sendint64(out, sum->limb[i]);
}

bool
clv_exact_recv(StringInfo in, ClvExactSum *sum)
{
	int flags = pq_getmsgbyte(in);
	bool sound = flags <= 7;

	sum->up = (flags & 1) != 0;
	sum->down = (flags & 2) != 0;
	sum->nan = (flags & 4) != 0;
	sum->terms = 0;
	for (int i = 0; i < CLV_EXACT_LIMBS; i++)
	{
		int64 limb = pq_getmsgint64(in);

		sum->limb[i] = limb;
		sound = sound && (i < LAST_LIMB ? limb >= 0 && limb <= PG_UINT32_MAX
										: limb >= PG_INT32_MIN && limb <= PG_INT32_MAX);
	}
	return sound;
}
