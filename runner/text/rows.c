/* The tables of filters, tests, methods and globals, made of the lines in rows.h, and the search in them. */
#include "text/rows.h"

#include <string.h>

#define ROW(n, f, p, m, fl, t) { .name = n, .params = p, .fn = f, .min = m, .flags = fl, .text = t },
static const struct row filters[] = { FILTERS(ROW) };
static const struct row tests[] = { TESTS(ROW) };
static const struct row methods[] = { METHODS(ROW) };
static const struct row globals[] = { GLOBALS(ROW) };

#define DOC(n, f, p, m, fl, t) { .name = n, .text = t },
const struct text_doc text_filters[] = { FILTERS(DOC) };
const struct text_doc text_tests[] = { TESTS(DOC) };
const struct text_doc text_methods[] = { METHODS(DOC) };
const size_t text_filters_n = sizeof text_filters / sizeof *text_filters;
const size_t text_tests_n = sizeof text_tests / sizeof *text_tests;
const size_t text_methods_n = sizeof text_methods / sizeof *text_methods;

static const struct row *find(const struct row *rows, size_t n, const char *name)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = (low + n) / 2;
		int r = strcmp(name, rows[mid].name);

		if (!r)
			return &rows[mid];
		if (r < 0)
			n = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct row *row_filter(const char *name)
{
	return find(filters, sizeof filters / sizeof *filters, name);
}

const struct row *row_test(const char *name)
{
	return find(tests, sizeof tests / sizeof *tests, name);
}

const struct row *row_method(const char *name)
{
	return find(methods, sizeof methods / sizeof *methods, name);
}

const struct row *row_of_type(const struct row *method, const struct value *of)
{
	unsigned is = of->type == V_STR ? ROW_STR : of->type == V_LIST ? ROW_LIST : of->type == V_MAP ? ROW_MAP : 0;

	return method && method->flags & is ? method : NULL;
}

const struct row *row_global(const char *name)
{
	return find(globals, sizeof globals / sizeof *globals, name);
}
