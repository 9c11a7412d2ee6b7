/*
 * Waiting with a deadline and a cancel flag. The flag is looked at ten times a second and not by a signal, as a signal
 * reaches one thread and there are many.
 */
#include "host/until.h"

#include "base/os.h"

enum { SLICE_MS = 100 };

struct until until_in(int64_t ms, const volatile int *cancel)
{
	return (struct until){ os_now_ms() + ms, cancel };
}

enum until_end until_poll(const struct until *u, struct pollfd *fds, nfds_t n)
{
	for (;;) {
		int64_t left = u->at - os_now_ms();

		if (u->cancel && *u->cancel)
			return UNTIL_CANCELLED;
		if (left <= 0)
			return UNTIL_LATE;
		if (!n)
			return UNTIL_READY;
		if (poll(fds, n, (int)(left < SLICE_MS ? left : SLICE_MS)) > 0)
			return UNTIL_READY;
	}
}
