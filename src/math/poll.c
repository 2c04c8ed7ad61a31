/*
 * poll.c
 *		The poll that the loops of all families share.
 */
#include "math/poll.h"

ClvPoll clv_family_poll;
