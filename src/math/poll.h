/*
 * poll.h
 *		How a long loop lets its caller interrupt it.
 */
#ifndef CLV_POLL_H
#define CLV_POLL_H

#include <stddef.h>

#define CLV_POLL_EVERY 16384 /* units of work, some ten nanoseconds each */

/* A callback for long loops, and the work since its last call. */
typedef struct ClvPoll
{
	void (*call)(void *arg); /* may longjmp; may be NULL */
	void *arg;
	size_t work; /* since the last call */
} ClvPoll;

/* Adds work, and calls the callback after every CLV_POLL_EVERY units. */
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
 * The poll of the functions of families, which take no poll as an argument. There is one for the
 * process; a program that can be interrupted sets its callback once.
 */
extern ClvPoll clv_family_poll;

#endif /* CLV_POLL_H */
