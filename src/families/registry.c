/*
 * registry.c
 *		All families, one line each.
 */
#include "families/registry.h"

#include <string.h>

static const ClvFamily *const families[] = {
	&clv_mbgnbd, &clv_bgnbd, &clv_mbgcnbd, &clv_paretonbd, &clv_paretonbd_cor,   &clv_ggompertznbd,
	&clv_bgbb,   &clv_sbg,   &clv_bdw,     &clv_rfmtc,     &clv_rfmtc_unclamped, &clv_gammagamma,
};

#define FAMILIES ((int) (sizeof(families) / sizeof(families[0])))

const ClvFamily *
clv_family(const char *name)
{
	for (int i = 0; i < FAMILIES; i++)
	{
		if (strcmp(families[i]->name, name) == 0)
			return families[i];
	}
	return NULL;
}

const ClvFamily *
clv_family_at(int index)
{
	return index >= 0 && index < FAMILIES ? families[index] : NULL;
}

const char *
clv_clock_name(ClvClock clock)
{
	switch (clock)
	{
		case CLV_CONTINUOUS:
			return "continuous";
		case CLV_OPPORTUNITIES:
			return "opportunities";
		case CLV_RENEWALS:
			return "renewals";
		case CLV_CAMPAIGNS:
			return "campaigns";
	}
	return "unknown";
}
