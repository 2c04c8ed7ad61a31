/*
 * types.c
 *		A function in SQL that damages a value of a type, as text or in binary form, many thousand
 *		times a second, and asks the type to read it. types.pl builds and calls it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_MODULE_MAGIC;

/* How a type is read and written. */
typedef struct Forms
{
	FmgrInfo in;
	FmgrInfo out;
	FmgrInfo receive;
	FmgrInfo send;
	Oid in_param;
	Oid receive_param;
} Forms;

/* What has an end worth trying, in text and in binary form. */
static const char *const words[] = {
	"-",          "e",     ",",     ":",         "\"",         "[",      "]",
	"{",          "}",     "[]",    "{}",        "null",       "true",   "-1",
	"2147483647", "1e308", "1e400", "1e-320",    "-0.0",       "NaN",    "Infinity",
	"\"NaN\"",    "\"\"",  "\\",    "\\u0000",   "4294967296", "refund", "2020-02-30",
	"unknown",    "0",     "1",     "999999999", "0.5",        "BC",     "9223372036854775808"};
static const unsigned char numbers[][8] = {{0},
										   {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
										   {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
										   {0x80},
										   {0x7f, 0xf0},
										   {0x7f, 0xf8},
										   {0, 0, 0, 1},
										   {0, 0, 0, 0, 0, 0, 0, 1}};

static uint64 state;

/* A number below n, from SplitMix64 (Steele, Lea & Flood 2014). */
static uint64
Below(uint64 n)
{
	uint64 z = (state += UINT64CONST(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

/* Replaces so many bytes at a place by others. */
static void
Splice(StringInfo value, int at, int length, const char *data, int with)
{
	length = Min(length, value->len - at);
	enlargeStringInfo(value, with);
	memmove(value->data + at + with, value->data + at + length, value->len - at - length);
	memcpy(value->data + at, data, with);
	value->len += with - length;
	value->data[value->len] = '\0';
}

/* Changes one to three places: overwritten, put in, left out, doubled, cut off, or one bit of it.
 */
static void
Damage(StringInfo value, bool is_text)
{
	for (int left = 1 + Below(3); left > 0; left--)
	{
		int at = Below(value->len + 1);
		int length = 1 + Below(9);
		int how = Below(8);
		const char *data = words[Below(lengthof(words))];
		int with = strlen(data);
		char copy[16];

		if (!is_text)
		{
			data = (const char *) numbers[Below(lengthof(numbers))];
			with = 1 << Below(4);
		}
		if (how < 3)
			Splice(value, at, with, data, with);
		else if (how == 3)
			Splice(value, at, 0, data, with);
		else if (how == 4)
			Splice(value, at, length, NULL, 0);
		else if (how == 5)
		{
			int from = Below(value->len + 1);

			with = Min(length, value->len - from);
			memcpy(copy, value->data + from, with);
			Splice(value, at, 0, copy, with);
		}
		else if (at < value->len)
			value->data[at] ^= 1 << Below(is_text ? 7 : 8);
		if (how == 7 && Below(8) == 0)
			Splice(value, at, value->len - at, NULL, 0);
	}
	for (int i = 0; is_text && i < value->len; i++)
		if (value->data[i] < ' ')
			value->data[i] = '?';
}

/* Says that the forms of what was read do not agree. */
static void
Disagree(const char *how)
{
	ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("forms do not agree: %s", how)));
}

/* Aborts unless the text and the binary form of a value are read as that value. */
static void
CheckForms(Forms *forms, Datum value)
{
	char *text = OutputFunctionCall(&forms->out, value);
	bytea *bytes = SendFunctionCall(&forms->send, value);
	bytea *again;
	StringInfoData wire;
	Datum other = InputFunctionCall(&forms->in, text, forms->in_param, -1);

	if (strcmp(OutputFunctionCall(&forms->out, other), text) != 0)
		Disagree("text of what was read from the text");
	initStringInfo(&wire);
	appendBinaryStringInfo(&wire, VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ);
	other = ReceiveFunctionCall(&forms->receive, &wire, forms->receive_param, -1);
	again = SendFunctionCall(&forms->send, other);
	if (VARSIZE(again) != VARSIZE(bytes) || memcmp(again, bytes, VARSIZE(bytes)) != 0)
		Disagree("bytes of what was read from the bytes");
	if (strcmp(OutputFunctionCall(&forms->out, other), text) != 0)
		Disagree("text of what was read from the bytes");
}

/* Whether a type may refuse what it is given by this error. */
static bool
IsRefusal(int sqlerrcode)
{
	int category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return sqlerrcode == ERRCODE_PROTOCOL_VIOLATION ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_PROGRAM_LIMIT_EXCEEDED) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_FEATURE_NOT_SUPPORTED);
}

/* Reads a damaged value in a subtransaction; true where it was taken, or else sets *why where the
 * error is not that of a refusal. */
static bool
Read(Forms *forms, StringInfo damaged, bool is_text, MemoryContext caller, char **why)
{
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext before = CurrentMemoryContext;
	volatile bool read = false;
	volatile bool taken = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(before);
	PG_TRY();
	{
		Datum value = is_text
						  ? InputFunctionCall(&forms->in, damaged->data, forms->in_param, -1)
						  : ReceiveFunctionCall(&forms->receive, damaged, forms->receive_param, -1);

		read = true;
		/* as COPY does: what is left over is not of the value */
		if (is_text || damaged->cursor == damaged->len)
			CheckForms(forms, value);
		taken = true;
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (read || !IsRefusal(error->sqlerrcode))
			*why = psprintf("%s: %s", unpack_sql_state(error->sqlerrcode), error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(before);
	CurrentResourceOwner = owner;
	return taken;
}

PG_FUNCTION_INFO_V1(clv_fuzz_type);

/*
 * clv_fuzz_type(type oid, sound bytea, is_text boolean, seed bigint, rounds int) -> text: how many
 * damaged values were taken; or what was found, and the value in hexadecimal digits
 */
Datum
clv_fuzz_type(PG_FUNCTION_ARGS)
{
	Oid type = PG_GETARG_OID(0);
	bytea *sound = PG_GETARG_BYTEA_PP(1);
	bool is_text = PG_GETARG_BOOL(2);
	int rounds = PG_GETARG_INT32(4);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch =
		AllocSetContextCreate(caller, "a damaged value", ALLOCSET_DEFAULT_SIZES);
	int64 taken = 0;
	Forms forms;
	Oid function;
	bool varlena;

	getTypeInputInfo(type, &function, &forms.in_param);
	fmgr_info(function, &forms.in);
	getTypeOutputInfo(type, &function, &varlena);
	fmgr_info(function, &forms.out);
	getTypeBinaryInputInfo(type, &function, &forms.receive_param);
	fmgr_info(function, &forms.receive);
	getTypeBinaryOutputInfo(type, &function, &varlena);
	fmgr_info(function, &forms.send);
	state = PG_GETARG_INT64(3);

	for (int round = 0; round < rounds; round++)
	{
		StringInfoData damaged;
		char *why = NULL;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		MemoryContextSwitchTo(scratch);
		initStringInfo(&damaged);
		appendBinaryStringInfo(&damaged, VARDATA_ANY(sound), VARSIZE_ANY_EXHDR(sound));
		Damage(&damaged, is_text);
		taken += Read(&forms, &damaged, is_text, caller, &why);
		MemoryContextSwitchTo(caller);
		if (why != NULL)
		{
			StringInfoData found;

			initStringInfo(&found);
			appendStringInfo(&found, "%s: ", why);
			for (int i = 0; i < damaged.len; i++)
				appendStringInfo(&found, "%02x", (unsigned char) damaged.data[i]);
			PG_RETURN_TEXT_P(cstring_to_text(found.data));
		}
	}
	PG_RETURN_TEXT_P(cstring_to_text(psprintf(INT64_FORMAT, taken)));
}
