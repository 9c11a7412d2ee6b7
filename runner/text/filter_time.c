/* strftime, in UTC unless told otherwise, and with English names whatever the locale. */
#include "text/rows.h"

#include <math.h>
#include <string.h>
#include <time.h>

static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char *const months[] = {"January", "February", "March",	 "April",   "May",	"June",
				     "July",	"August",   "September", "October", "November", "December"};

static void week(struct buf *b, int number)
{
	buf_fmt(b, "%02d", number);
}

/* The directives whose text hangs on the locale are spelled out; numbers are left to the C library. */
static bool directive(struct call *k, struct buf *b, char c, const struct tm *t, long long seconds)
{
	char text[64], fmt[3] = { '%', c, 0 };

	switch (c) {
	case 'a':
		buf_fmt(b, "%.3s", days[t->tm_wday]);
		return true;
	case 'A':
		buf_str(b, days[t->tm_wday]);
		return true;
	case 'b':
	case 'h':
		buf_fmt(b, "%.3s", months[t->tm_mon]);
		return true;
	case 'B':
		buf_str(b, months[t->tm_mon]);
		return true;
	case 'p':
		buf_str(b, t->tm_hour < 12 ? "AM" : "PM");
		return true;
	case 'r':
		buf_fmt(b, "%02d:%02d:%02d %s", t->tm_hour % 12 ? t->tm_hour % 12 : 12, t->tm_min, t->tm_sec,
			t->tm_hour < 12 ? "AM" : "PM");
		return true;
	case 'c':
		buf_fmt(b, "%.3s %.3s %2d %02d:%02d:%02d %d", days[t->tm_wday], months[t->tm_mon], t->tm_mday,
			t->tm_hour, t->tm_min, t->tm_sec, t->tm_year + 1900);
		return true;
	case 'x':
		buf_fmt(b, "%02d/%02d/%02d", t->tm_mon + 1, t->tm_mday, t->tm_year % 100);
		return true;
	case 'X':
		buf_fmt(b, "%02d:%02d:%02d", t->tm_hour, t->tm_min, t->tm_sec);
		return true;
	case 's':
		buf_fmt(b, "%lld", seconds);
		return true;
	case 'U':
		week(b, (t->tm_yday + 7 - t->tm_wday) / 7);
		return true;
	case 'W':
		week(b, (t->tm_yday + 7 - (t->tm_wday + 6) % 7) / 7);
		return true;
	default:
		if (!strchr("CdDeFgGHIjklmMnRStTuVwyYzZ%", c))
			return call_fail(k, "there is no \"%%%c\"", c);
		buf_add(b, text, strftime(text, sizeof text, fmt, t));
		return true;
	}
}

struct value *filter_strftime(struct call *k)
{
	size_t n;
	const char *fmt = call_in(k, &n);
	double when = k->args[0] && k->args[0]->type != V_NULL ? 0 : (double)time(NULL);
	struct buf b = BUF(k->c->a);
	struct tm t;
	time_t seconds;

	if (when == 0 && k->args[0]->type == V_STR)
		when = (double)call_int(k, 0, 0);
	else if (when == 0)
		when = call_num(k, k->args[0]);
	if (!(fabs(when) < 2e11))
		return call_fail(k, "the time is out of range");
	seconds = (time_t)floor(when);
	if (!gmtime_r(&seconds, &t))
		return call_fail(k, "the time is out of range");
	for (size_t i = 0; i < n; i++) {
		if (fmt[i] != '%' || i + 1 >= n)
			buf_ch(&b, fmt[i]);
		else if (!directive(k, &b, fmt[++i], &t, (long long)seconds))
			return NULL;
	}
	return op_buf(k->c, &b);
}
