/*
 * periods.c
 *		A history in whole periods: opportunities taken, contracts renewed.
 */
#include "history/periods.h"

#include "history/layout.h"

/* ---- how to count ---- */

static const char *const names[] = {"anniversary", "calendar"};

ClvPeriodsOf
clv_periods_of(const char *name)
{
	for (int i = 0; i < (int) lengthof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (ClvPeriodsOf) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown periods: \"%s\"", name),
			 errhint("Give 'anniversary' (of each customer's first purchase) or 'calendar' "
					 "(months, quarters, years; weeks from Monday).")));
}

const char *
clv_periods_name(ClvPeriodsOf of)
{
	return names[of];
}

/* The whole days of an interval besides its months; false where there are parts of days. */
static bool
WholeDays(const Interval *interval, int64 *days)
{
	*days = interval->day + interval->time / USECS_PER_DAY;
	return interval->time % USECS_PER_DAY == 0;
}

void
clv_counting_init(ClvCounting *counting, const Interval *unit, ClvPeriodsOf of,
				  const Interval *grace)
{
	int64 days;
	int64 grace_days = 0;

	if (!WholeDays(unit, &days) || unit->month < 0 || days < 0 || days > PG_INT32_MAX ||
		(unit->month > 0) == (days > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("periods must be whole months or whole days: %s", clv_interval_text(unit)),
				 errhint("Months and years are stepped with the calendar, days and weeks are "
						 "counted: use time_unit => '1 month' or '30 days'.")));
	if (of == CLV_PERIODS_CALENDAR && unit->month > 0 && 12 % unit->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid time_unit for calendar periods: %s", clv_interval_text(unit)),
				 errdetail("A year must be a whole number of periods."),
				 errhint("Use time_unit => '1 month', '3 months' or '1 year', or periods => "
						 "'anniversary'.")));
	if (grace != NULL && !WholeDays(grace, &grace_days))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("grace must be whole days: %s", clv_interval_text(grace)),
						errhint("Use a number of whole days, such as grace => '5 days'.")));
	counting->grid = (ClvGrid){unit->month, (int32) days, of == CLV_PERIODS_CALENDAR};
	counting->grace_months = grace != NULL ? grace->month : 0;
	counting->grace_days = (int32) grace_days;
}

bool
clv_interval_periods(const ClvGrid *grid, const Interval *interval, double *periods)
{
	int64 days;

	if (!WholeDays(interval, &days))
		return false;
	*periods = grid->months > 0 ? interval->month / grid->months : (double) (days / grid->days);
	return grid->months > 0 ? days == 0 && interval->month % grid->months == 0
							: interval->month == 0 && days % grid->days == 0;
}

/* ---- opportunities ---- */

void
clv_history_periods(const ClvHistory *history, DateADT as_of, const ClvCounting *counting,
					ClvPeriods *periods)
{
	bool begun = false;
	int64 taken = 0; /* the end of the last period with a purchase */
	int64 close = 0; /* of the last period that is over */
	ClvSteps steps;
	ClvReader reader;
	ClvDay day;

	memset(periods, 0, sizeof(*periods));
	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		int64 period;

		if (!day.bought || (begun && day.day <= taken))
			continue;
		if (!begun)
		{
			begun = true;
			clv_steps_from(&steps, &counting->grid, day.day);
			periods->T = periods->over = (int32) Max(clv_steps_over(&steps, as_of), 0);
			taken = clv_steps_end(&steps, 0);
			close = clv_steps_end(&steps, periods->T);
			continue;
		}
		if (day.day > close)
			break;
		period = clv_steps_period(&steps, day.day);
		taken = clv_steps_end(&steps, period);
		periods->t_x = (int32) period;
		periods->x++;
	}
}

int32
clv_history_taken(const ClvHistory *history, const ClvSteps *steps, int64 since, int64 until)
{
	int64 taken = clv_steps_end(steps, since);
	int64 close = clv_steps_end(steps, until);
	int32 count = 0;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= close)
	{
		if (!day.bought || day.day <= taken)
			continue;
		taken = clv_steps_end(steps, clv_steps_period(steps, day.day));
		count++;
	}
	return count;
}

/* ---- contracts ---- */

/* A contract that is followed from payment to payment. */
typedef struct Contract
{
	ClvSteps steps;
	int64 made; /* renewals; no contract yet: -1 */
	int64 paid; /* the end of the last period that is paid for */
	int64 due;  /* until then the next one may be */
} Contract;

/* The last day on which renewal k may be paid. */
static int64
Due(const ClvSteps *steps, const ClvCounting *counting, int64 k)
{
	return clv_day_plus(clv_steps_end(steps, k), counting->grace_months, counting->grace_days);
}

/* One more renewal: the next period is paid for. */
static void
Renew(Contract *contract, const ClvCounting *counting)
{
	contract->made++;
	contract->paid = clv_steps_end(&contract->steps, contract->made);
	contract->due = Due(&contract->steps, counting, contract->made + 1);
}

/* The first payment, or one after a contract has ended. */
static void
Begin(Contract *contract, const ClvCounting *counting, DateADT day)
{
	clv_steps_from(&contract->steps, &counting->grid, day);
	contract->made = -1;
	Renew(contract, counting);
}

/* One more payment; returns whether it began a contract. */
static bool
Pay(Contract *contract, const ClvCounting *counting, DateADT day)
{
	if (contract->made < 0 || day > contract->due)
	{
		Begin(contract, counting, day);
		return true;
	}
	if (day > contract->paid)
		Renew(contract, counting);
	return false;
}

/* The last renewal whose time, grace included, is over at the end of the day. */
static int64
Decided(const ClvSteps *steps, const ClvCounting *counting, DateADT as_of)
{
	int64 before =
		clv_day_plus((int64) as_of - counting->grace_days, -(int64) counting->grace_months, 0);
	int64 k;

	/* months there and back may lose up to three days */
	k = clv_steps_over(steps, counting->grace_months > 0 ? before + 3 : before);
	while (k > 0 && Due(steps, counting, k) > as_of)
		k--;
	return Max(k, 0);
}

/* The renewals made and possible as of a day, of the contract in force. */
static void
ReportContract(const Contract *contract, const ClvCounting *counting, DateADT as_of,
			   ClvPeriods *periods)
{
	bool ended = contract->due <= as_of;

	periods->over = (int32) Decided(&contract->steps, counting, as_of);
	periods->x = periods->t_x = ended ? (int32) contract->made : periods->over;
	periods->T = periods->x + ended;
}

void
clv_history_contract(const ClvHistory *history, DateADT as_of, const ClvCounting *counting,
					 bool current, ClvPeriods *periods)
{
	Contract contract = {.made = -1};
	Contract first = contract;
	int32 contracts = 0;
	ClvReader reader;
	ClvDay day;

	memset(periods, 0, sizeof(*periods));
	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		if (!day.bought)
			continue;
		contracts += Pay(&contract, counting, day.day);
		if (contracts <= 1)
			first = contract;
	}
	if (contracts == 0)
		return;
	ReportContract(current ? &contract : &first, counting, as_of, periods);
	periods->returns = contracts - 1;
}

int64
clv_history_due(const ClvHistory *history, DateADT as_of, const ClvCounting *counting, int32 k)
{
	Contract contract = {.made = -1};
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		if (day.bought)
			(void) Pay(&contract, counting, day.day);
	}
	return Due(&contract.steps, counting, k);
}

int32
clv_history_renewed(const ClvHistory *history, DateADT as_of, const ClvCounting *counting,
					int32 periods)
{
	Contract contract = {.made = -1};
	ClvPeriods found;
	int64 until;
	ClvReader reader;
	ClvDay day;

	clv_history_contract(history, as_of, counting, true, &found);
	if (found.x < found.T)
		return 0;
	until = (int64) found.x + periods;
	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day))
	{
		if (!day.bought)
			continue;
		if (day.day > as_of && (contract.made >= until || day.day > contract.due))
			break;
		(void) Pay(&contract, counting, day.day);
	}
	return contract.made < 0 ? 0 : (int32) (Min(contract.made, until) - found.x);
}
