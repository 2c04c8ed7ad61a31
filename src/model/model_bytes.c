/*
 * model_bytes.c
 *		A model as bytes: packing and unpacking.
 *
 * The bytes behind the varlena header are the wire format itself, in network
 * order: a version byte, then
 *
 *	flags			int16: 1 has as_of, 2 has a purchase part, 4 has a spend part, 8 was chosen
 *					among candidates, 16 skipped spend although it has no spend part,
 *					32 has grace, 64 periods of the calendar, 128 has customers who returned,
 *					256 has a common shock
 *	as_of			int32
 *	time unit		int32 months, int32 days, int64 microseconds
 *	occasion		int32
 *	per part		length and name of the family, flags (1 fitted, 2 converged,
 *					4 covariance, 8 covariates, 16 centres, 32 calendar, 64 prior,
 *					128 profile), the parameters;
 *					the number of covariates, their names, their effects, their centres
 *					unless all are 0 (with 128 added to that number how many of them are of a
 *					path comes first); the size of the calendar, and its bytes; of a fitted
 *					part
 *					customers, skipped, log-likelihood, gradient norm, iterations; of a prior
 *					its fingerprint, distance and effective parameters; of a profile its level,
 *					then the lower and the upper limit of each row of the covariance;
 *					the lower triangle of the covariance
 *	spend part		basis, correlation of frequency and spend
 *	spend skipped	int64
 *	grace			int32 months, int32 days, int64 microseconds
 *	returned		int64
 *	shock			int32 weeks, standard deviation, lasting, correlation, evidence, past, link
 *	candidates		their number, and of each the family, flags (1 converged),
 *					log-likelihood, BIC
 *
 * A model is parsed once per call site, so there is nothing to gain from a
 * layout that a struct could be laid over, and much from a single format for
 * disk and wire that no processor disagrees about. What means the same is
 * written the same (no -0, one NaN, no field of a part that is not there):
 * equality, hashing and order work on the bytes.
 */
#include "model/model.h"

#include "common/canonical.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

#include "model/model_private.h"

#define MODEL_VERSION 1

#define MODEL_AS_OF 0x01
#define MODEL_PURCHASE 0x02
#define MODEL_SPEND 0x04
#define MODEL_CANDIDATES 0x08
#define MODEL_SPEND_SKIPPED 0x10
#define MODEL_GRACE 0x20
#define MODEL_CALENDAR 0x40
#define MODEL_RETURNED 0x80
#define MODEL_SHOCK 0x100

#define PART_FITTED 0x01
#define PART_CONVERGED 0x02
#define PART_COVARIANCE 0x04
#define PART_COVARIATES 0x08
#define PART_CENTRES 0x10
#define PART_CALENDAR 0x20
#define PART_PRIOR 0x40
#define PART_PROFILE 0x80

/* In the byte with the number of covariates: some are of a path. */
#define COVARIATES_PATH 0x80

#define CANDIDATE_CONVERGED 0x01

/* Append an interval. */
static void
PackInterval(StringInfo out, const Interval *interval)
{
	pq_sendint32(out, interval->month);
	pq_sendint32(out, interval->day);
	pq_sendint64(out, interval->time);
}

/* Append the length of a name, then its bytes. */
static void
PackName(StringInfo out, const char *name)
{
	int length = strlen(name);

	pq_sendbyte(out, length);
	pq_sendbytes(out, name, length);
}

/* Whether a covariate has a centre other than 0. */
static bool
HasCentres(const ClvModelPart *part)
{
	for (int i = 0; i < part->ncovariates; i++)
		if (part->centre[i] != 0)
			return true;
	return false;
}

/* Append the number of covariates, their names, their effects and, if there are any, centres. */
static void
PackCovariates(StringInfo out, const ClvModelPart *part)
{
	pq_sendbyte(out, part->ncovariates | (part->awaited > 0 ? COVARIATES_PATH : 0));
	if (part->awaited > 0)
		pq_sendbyte(out, part->awaited);
	for (int i = 0; i < part->ncovariates; i++)
		PackName(out, part->covariate[i]);
	for (int i = 0; i < 2 * part->ncovariates; i++)
		pq_sendfloat8(out, part->effect[i]);
	for (int i = 0; HasCentres(part) && i < part->ncovariates; i++)
		pq_sendfloat8(out, part->centre[i]);
}

/* Append the numbers of a common shock. */
static void
PackShock(StringInfo out, const ClvShock *shock)
{
	pq_sendint32(out, shock->periods);
	pq_sendfloat8(out, shock->sd);
	pq_sendfloat8(out, shock->lasting);
	pq_sendfloat8(out, shock->correlation);
	pq_sendfloat8(out, shock->evidence);
	pq_sendfloat8(out, shock->past);
	pq_sendfloat8(out, shock->link);
}

/* Append the number of candidates, then each of them. */
static void
PackCandidates(StringInfo out, const ClvModel *fitted)
{
	pq_sendbyte(out, fitted->ncandidates);
	for (int i = 0; i < fitted->ncandidates; i++)
	{
		const ClvCandidate *candidate = &fitted->candidate[i];

		PackName(out, candidate->family->name);
		pq_sendbyte(out, candidate->converged ? CANDIDATE_CONVERGED : 0);
		pq_sendfloat8(out, candidate->log_likelihood);
		pq_sendfloat8(out, candidate->bic);
	}
}

/* Append a part in the order described above; skipped: customers left out of its fit. */
static void
PackPart(StringInfo out, const ClvModelPart *part, int64 skipped)
{
	const ClvFamily *family = part->family;

	PackName(out, family->name);
	pq_sendbyte(
		out,
		(part->fitted ? PART_FITTED : 0) | (part->fitted && part->converged ? PART_CONVERGED : 0) |
			(part->has_covariance ? PART_COVARIANCE : 0) |
			(part->ncovariates > 0 ? PART_COVARIATES : 0) | (HasCentres(part) ? PART_CENTRES : 0) |
			(part->calendar != NULL ? PART_CALENDAR : 0) | (part->prior != 0 ? PART_PRIOR : 0) |
			(part->profile != 0 ? PART_PROFILE : 0));
	for (int i = 0; i < family->nparams; i++)
		pq_sendfloat8(out, part->param[i]);
	if (part->ncovariates > 0)
		PackCovariates(out, part);
	if (part->calendar != NULL)
	{
		pq_sendint32(out, VARSIZE_ANY_EXHDR(part->calendar));
		pq_sendbytes(out, VARDATA_ANY(part->calendar), VARSIZE_ANY_EXHDR(part->calendar));
	}
	if (part->fitted)
	{
		pq_sendint64(out, part->customers);
		pq_sendint64(out, skipped);
		pq_sendfloat8(out, part->log_likelihood);
		pq_sendfloat8(out, part->gradient_norm);
		pq_sendint32(out, part->iterations);
	}
	if (part->prior != 0)
	{
		pq_sendint64(out, part->prior);
		pq_sendfloat8(out, part->prior_distance);
		pq_sendfloat8(out, part->effective);
	}
	if (part->profile != 0)
	{
		pq_sendfloat8(out, part->profile);
		for (int i = 0; i < clv_model_dimension(part); i++)
			pq_sendfloat8(out, part->profile_low[i]);
		for (int i = 0; i < clv_model_dimension(part); i++)
			pq_sendfloat8(out, part->profile_high[i]);
	}
	if (part->has_covariance)
		for (int i = 0; i < CLV_TRIANGLE(clv_model_dimension(part)); i++)
			pq_sendfloat8(out, part->covariance[i]);
}

ClvPackedModel *
clv_model_pack(const ClvModel *given)
{
	ClvModel fitted = *given;
	StringInfoData out;
	bool skipped_alone = given->spend.family == NULL && given->spend_skipped > 0;

	clv_model_check(&fitted);
	if (fitted.purchase.family == NULL)
		fitted.time_unit = (Interval){.day = 7};

	pq_begintypsend(&out);
	pq_sendbyte(&out, MODEL_VERSION);
	pq_sendint16(&out, (fitted.has_as_of ? MODEL_AS_OF : 0) |
						   (fitted.purchase.family != NULL ? MODEL_PURCHASE : 0) |
						   (fitted.spend.family != NULL ? MODEL_SPEND : 0) |
						   (fitted.ncandidates > 0 ? MODEL_CANDIDATES : 0) |
						   (skipped_alone ? MODEL_SPEND_SKIPPED : 0) |
						   (fitted.grace_days > 0 ? MODEL_GRACE : 0) |
						   (fitted.periods == CLV_PERIODS_CALENDAR ? MODEL_CALENDAR : 0) |
						   (fitted.returned > 0 ? MODEL_RETURNED : 0) |
						   (fitted.shock.sd > 0 ? MODEL_SHOCK : 0));
	pq_sendint32(&out, fitted.has_as_of ? fitted.as_of : 0);
	PackInterval(&out, &fitted.time_unit);
	pq_sendint32(&out, fitted.occasion);
	if (fitted.purchase.family != NULL)
		PackPart(&out, &fitted.purchase, fitted.skipped);
	if (fitted.spend.family != NULL)
	{
		PackPart(&out, &fitted.spend, fitted.spend_skipped);
		pq_sendbyte(&out, fitted.spend_basis);
		pq_sendfloat8(&out, fitted.frequency_spend_correlation);
	}
	if (skipped_alone)
		pq_sendint64(&out, fitted.spend_skipped);
	if (fitted.grace_days > 0)
		PackInterval(&out, &fitted.grace);
	if (fitted.returned > 0)
		pq_sendint64(&out, fitted.returned);
	if (fitted.shock.sd > 0)
		PackShock(&out, &fitted.shock);
	if (fitted.ncandidates > 0)
		PackCandidates(&out, &fitted);
	return (ClvPackedModel *) pq_endtypsend(&out);
}

/* Read a name into NAMEDATALEN bytes; an error unless it is valid in the encoding of the database.
 */
static void
UnpackName(StringInfo in, char *name)
{
	int length = pq_getmsgbyte(in);

	if (length >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("name in binary clv_model is too long: %d bytes", length)));
	memcpy(name, pq_getmsgbytes(in, length), length);
	name[length] = '\0';
	if (strlen(name) != (size_t) length)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("name in binary clv_model contains a zero byte")));
	(void) pg_verifymbstr(name, length, false);
}

/* Read the name of a family; an error where it is unknown. */
static const ClvFamily *
UnpackFamily(StringInfo in)
{
	char name[NAMEDATALEN];
	const ClvFamily *family;

	UnpackName(in, name);
	family = clv_family(name);
	if (family == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown family of models in binary clv_model"),
						errhint("The value is damaged, or was made by a later version of clv.")));
	return family;
}

/* Read an interval. */
static void
UnpackInterval(StringInfo in, Interval *interval)
{
	interval->month = (int32) pq_getmsgint(in, 4);
	interval->day = (int32) pq_getmsgint(in, 4);
	interval->time = pq_getmsgint64(in);
}

/* Read flags of one or two bytes; an error where one is not among those known. */
static int
UnpackFlags(StringInfo in, int bytes, int known)
{
	int flags = (int) pq_getmsgint(in, bytes);

	if ((flags & ~known) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown flags in binary clv_model: %d", flags)));
	return flags;
}

/* Read what PackCovariates has written. */
static void
UnpackCovariates(StringInfo in, bool has_centres, ClvModelPart *part)
{
	bool has_path;

	part->ncovariates = pq_getmsgbyte(in);
	has_path = (part->ncovariates & COVARIATES_PATH) != 0;
	part->ncovariates &= ~COVARIATES_PATH;
	if (has_path)
		part->awaited = pq_getmsgbyte(in);
	if (has_path && part->awaited == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("a path without covariates in binary clv_model")));
	if (part->ncovariates == 0 || part->ncovariates > CLV_MAX_COVARIATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid number of covariates in binary clv_model: %d",
							   part->ncovariates)));
	for (int i = 0; i < part->ncovariates; i++)
		UnpackName(in, part->covariate[i]);
	for (int i = 0; i < 2 * part->ncovariates; i++)
		part->effect[i] = pq_getmsgfloat8(in);
	for (int i = 0; has_centres && i < part->ncovariates; i++)
		part->centre[i] = pq_getmsgfloat8(in);
}

/* Read a calendar, every byte of which is checked. */
static void
UnpackCalendar(StringInfo in, ClvModelPart *part)
{
	int size = (int) pq_getmsgint(in, 4);
	StringInfoData bytes = {.len = size, .maxlen = size};
	ClvCalendarParts parts;

	bytes.data = (char *) pq_getmsgbytes(in, size);
	clv_calendar_unpack(&bytes, &parts);
	part->calendar = clv_calendar_pack(&parts);
	clv_canonical_check(part->calendar, bytes.data, size, "clv_calendar");
	if (parts.nnames > part->ncovariates)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("binary clv_model has less covariates than its calendar")));
	part->followed = parts.nnames;
}

/* Read what PackShock has written. */
static void
UnpackShock(StringInfo in, ClvShock *shock)
{
	shock->periods = (int32) pq_getmsgint(in, 4);
	shock->sd = pq_getmsgfloat8(in);
	shock->lasting = pq_getmsgfloat8(in);
	shock->correlation = pq_getmsgfloat8(in);
	shock->evidence = pq_getmsgfloat8(in);
	shock->past = pq_getmsgfloat8(in);
	shock->link = pq_getmsgfloat8(in);
	if (shock->sd == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("common shock of no size in binary clv_model")));
}

/* Read what PackCandidates has written. */
static void
UnpackCandidates(StringInfo in, ClvModel *fitted)
{
	fitted->ncandidates = pq_getmsgbyte(in);
	if (fitted->ncandidates == 0 || fitted->ncandidates > CLV_MAX_CANDIDATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid number of candidates in binary clv_model: %d",
							   fitted->ncandidates)));
	for (int i = 0; i < fitted->ncandidates; i++)
	{
		ClvCandidate *candidate = &fitted->candidate[i];

		candidate->family = UnpackFamily(in);
		candidate->converged = UnpackFlags(in, 1, CANDIDATE_CONVERGED) != 0;
		candidate->log_likelihood = pq_getmsgfloat8(in);
		candidate->bic = pq_getmsgfloat8(in);
	}
}

/* Read the limits of a part by the profile. */
static void
UnpackProfile(StringInfo in, ClvModelPart *part)
{
	part->profile = pq_getmsgfloat8(in);
	for (int i = 0; i < clv_model_dimension(part); i++)
		part->profile_low[i] = pq_getmsgfloat8(in);
	for (int i = 0; i < clv_model_dimension(part); i++)
		part->profile_high[i] = pq_getmsgfloat8(in);
	if (!(part->profile > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("profile without a level in binary clv_model")));
}

/* Read what PackPart has written. */
static void
UnpackPart(StringInfo in, ClvModelPart *part, int64 *skipped)
{
	int flags;

	part->family = UnpackFamily(in);
	flags = UnpackFlags(in, 1,
						PART_FITTED | PART_CONVERGED | PART_COVARIANCE | PART_COVARIATES |
							PART_CENTRES | PART_CALENDAR | PART_PRIOR | PART_PROFILE);
	if ((flags & PART_CENTRES) && !(flags & PART_COVARIATES))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("centres without covariates in binary clv_model")));
	part->fitted = (flags & PART_FITTED) != 0;
	part->converged = (flags & PART_CONVERGED) != 0;
	part->has_covariance = (flags & PART_COVARIANCE) != 0;
	for (int i = 0; i < part->family->nparams; i++)
		part->param[i] = pq_getmsgfloat8(in);
	if (flags & PART_COVARIATES)
		UnpackCovariates(in, (flags & PART_CENTRES) != 0, part);
	if (flags & PART_CALENDAR)
		UnpackCalendar(in, part);
	if (part->fitted)
	{
		part->customers = pq_getmsgint64(in);
		*skipped = pq_getmsgint64(in);
		part->log_likelihood = pq_getmsgfloat8(in);
		part->gradient_norm = pq_getmsgfloat8(in);
		part->iterations = (int32) pq_getmsgint(in, 4);
	}
	if (flags & PART_PRIOR)
	{
		part->prior = (uint64) pq_getmsgint64(in);
		part->prior_distance = pq_getmsgfloat8(in);
		part->effective = pq_getmsgfloat8(in);
		if (part->prior == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("prior without a fingerprint in binary clv_model")));
	}
	if (flags & PART_PROFILE)
		UnpackProfile(in, part);
	if (part->has_covariance)
		for (int i = 0; i < CLV_TRIANGLE(clv_model_dimension(part)); i++)
			part->covariance[i] = pq_getmsgfloat8(in);
}

/* The inverse of clv_model_pack. Every number is checked: the bytes may come from anywhere. */
void
clv_model_decode(StringInfo in, ClvModel *fitted)
{
	int flags;
	int version = pq_getmsgbyte(in);

	if (version != MODEL_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_model: %d", version),
						errdetail("This version of clv reads version %d.", MODEL_VERSION)));
	clv_model_init(fitted);
	flags = UnpackFlags(in, 2,
						MODEL_AS_OF | MODEL_PURCHASE | MODEL_SPEND | MODEL_CANDIDATES |
							MODEL_SPEND_SKIPPED | MODEL_GRACE | MODEL_CALENDAR | MODEL_RETURNED |
							MODEL_SHOCK);
	if ((flags & MODEL_SPEND) && (flags & MODEL_SPEND_SKIPPED))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("skipped spend is given twice in binary clv_model")));
	fitted->has_as_of = (flags & MODEL_AS_OF) != 0;
	fitted->as_of = (DateADT) pq_getmsgint(in, 4);
	UnpackInterval(in, &fitted->time_unit);
	fitted->occasion = (int32) pq_getmsgint(in, 4);
	if (flags & MODEL_PURCHASE)
		UnpackPart(in, &fitted->purchase, &fitted->skipped);
	if (flags & MODEL_SPEND)
	{
		UnpackPart(in, &fitted->spend, &fitted->spend_skipped);
		fitted->spend_basis = (ClvSpendBasis) pq_getmsgbyte(in);
		fitted->frequency_spend_correlation = pq_getmsgfloat8(in);
	}
	if (flags & MODEL_SPEND_SKIPPED)
		fitted->spend_skipped = pq_getmsgint64(in);
	if (flags & MODEL_GRACE)
		UnpackInterval(in, &fitted->grace);
	if (flags & MODEL_CALENDAR)
		fitted->periods = CLV_PERIODS_CALENDAR;
	if (flags & MODEL_RETURNED)
		fitted->returned = pq_getmsgint64(in);
	if (flags & MODEL_SHOCK)
		UnpackShock(in, &fitted->shock);
	if (flags & MODEL_CANDIDATES)
		UnpackCandidates(in, fitted);
	pq_getmsgend(in);
	clv_model_check(fitted);
}

void
clv_model_unpack(const ClvPackedModel *model, ClvModel *fitted)
{
	StringInfoData in = clv_bytes_of(model);

	clv_model_decode(&in, fitted);
}
