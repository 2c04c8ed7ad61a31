/*
 * registry.h
 *		Every family by its C name. For the registry and the tests of the families;
 *		other code calls clv_family() with the name that users write.
 */
#ifndef CLV_REGISTRY_H
#define CLV_REGISTRY_H

#include "families/family.h"

extern const ClvFamily clv_mbgnbd;
extern const ClvFamily clv_bgnbd;
extern const ClvFamily clv_mbgcnbd;
extern const ClvFamily clv_mbgcnbd_known;
extern const ClvFamily clv_paretonbd;
extern const ClvFamily clv_paretonbd_cor;
extern const ClvFamily clv_paretonbd_cor_known;
extern const ClvFamily clv_ggompertznbd;
extern const ClvFamily clv_bgbb;
extern const ClvFamily clv_sbg;
extern const ClvFamily clv_bdw;
extern const ClvFamily clv_rfmtc;
extern const ClvFamily clv_rfmtc_unclamped;
extern const ClvFamily clv_gammagamma;

#endif /* CLV_REGISTRY_H */
