/*
 * poll.c
 *		The poll that loops inside a family share.
 */
#include "math/poll.h"

ClvPoll clv_family_poll;
