/* What the user sees while hosts are at work. */
#include "check.h"
#include "run/screen.h"

int main(void)
{
	struct arena *a = arena_new();
	struct screen s = { .a = a, .total = 3 };
	struct buf b = BUF(a);

	screen_draw(&s, &b, 80, 0);
	CHECK_STR(buf_text(&b), "  0 of 3 hosts done\n");
	screen_begin(&s, "a", "base", "install", 1000);
	screen_begin(&s, "b", "base", "install", 500);
	buf_reset(&b);
	screen_draw(&s, &b, 80, 4000); /* the one before is taken off first; who began first stands first */
	CHECK_STR(buf_text(&b), "\033[F\033[K  b                        base / install  3 s\n  a                        base / install  3 s\n"
				"  0 of 3 hosts done\n");
	buf_reset(&b);
	screen_clear(&s, &b);
	CHECK_STR(buf_text(&b), "\033[F\033[K\033[F\033[K\033[F\033[K");
	buf_reset(&b);
	screen_clear(&s, &b);
	CHECK_STR(buf_text(&b), "");
	/* no line is wider than the terminal */
	screen_idle(&s, "a");
	screen_draw(&s, &b, 20, 4000);
	CHECK_STR(buf_text(&b), "  b                \n  0 of 3 hosts done\n");
	screen_done(&s, "b");
	buf_reset(&b);
	screen_clear(&s, &b);
	buf_reset(&b);
	/* more hosts than rows */
	for (int i = 0; i < 12; i++)
		screen_begin(&s, arena_fmt(a, "h%d", i), "x", "y", 100);
	screen_draw(&s, &b, 80, 4000);
	CHECK_INT(s.shown, SCREEN_ROWS + 1);
	CHECK_HAS(buf_text(&b), "  1 of 3 hosts done, 4 more at work\n");
	/* elsewhere: a line for what takes long, then again */
	for (int i = 1; i < 12; i++)
		screen_idle(&s, arena_fmt(a, "h%d", i));
	buf_reset(&b);
	screen_long(&s, &b, 100 + SCREEN_LONG_MS - 1);
	CHECK_STR(buf_text(&b), "");
	screen_long(&s, &b, 100 + SCREEN_LONG_MS);
	screen_long(&s, &b, 100 + SCREEN_LONG_MS + 900);
	CHECK_STR(buf_text(&b), "h0: y: at work for 15 s\n");
	screen_long(&s, &b, 100 + 2 * SCREEN_LONG_MS);
	CHECK_HAS(buf_text(&b), "h0: y: at work for 30 s\n");
	arena_free(a);
	return check_done();
}
