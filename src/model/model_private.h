/*
 * model_private.h
 *		What the files of this module share.
 */
#ifndef CLV_MODEL_PRIVATE_H
#define CLV_MODEL_PRIVATE_H

#include "model/model.h"

/* Parse and check the bytes behind the varlena header, or of the binary form; an error where they
 * are no model. */
extern void clv_model_decode(StringInfo in, ClvModel *fitted);

/* Check the whole, and bring it into its canonical form; an error where it is no sound model. */
extern void clv_model_check(ClvModel *fitted);

/* An error that names it unless the family's parameter can have this value. */
extern void clv_model_check_parameter(const ClvFamily *family, int index, double value);

/* Parameters that a fit has moved, effects included: the k of AIC and BIC. */
extern int clv_model_freedom(const ClvModelPart *part);

/* The AIC of the part. */
extern double clv_model_aic(const ClvModelPart *part);

/* The family of that name; an error with the list of names where it is unknown. */
extern const ClvFamily *clv_model_family(const char *name);

/* The part of the model that a family belongs to. */
extern ClvModelPart *clv_model_part(ClvModel *fitted, const ClvFamily *family);

#endif /* CLV_MODEL_PRIVATE_H */
