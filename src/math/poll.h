/*
 * poll.h
 *		How a long loop lets its caller interrupt it.
 */
#ifndef CLV_POLL_H
#define CLV_POLL_H

#include <stddef.h>

#define CLV_POLL_EVERY 16384 /* units of work, some ten nanoseconds each */

typedef struct ClvPoll
{
	void (*call)(void *arg); /* may longjmp; may be NULL */
	void *arg;
	size_t work; /* since the last call */
} ClvPoll;

static inline void
clv_poll(ClvPoll *poll, size_t work)
{
	poll->work += work;
	if (poll->work < CLV_POLL_EVERY)
		return;
	poll->work = 0;
	if (poll->call != NULL)
		poll->call(poll->arg);
}

/*
 * The families' own: their callers give numbers, and no poll with them. It is the process's, whose
 * call is set once, by a program that can be interrupted.
 */
extern ClvPoll clv_family_poll;

#endif /* CLV_POLL_H */
