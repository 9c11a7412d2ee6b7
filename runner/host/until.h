/* How long a wait may last: until a moment, or until the user cancels. */
#ifndef HOST_UNTIL_H
#define HOST_UNTIL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct until {
	int64_t at;		    /* monotonic milliseconds */
	const volatile int *cancel; /* NULL: cannot be cancelled */
};
enum until_end { UNTIL_READY = 1, UNTIL_LATE, UNTIL_CANCELLED };

/* ms from now. */
struct until until_in(int64_t ms, const volatile int *cancel);
/* Wait for one of the n descriptors; n == 0 only looks whether the time is over (READY: it is not). */
enum until_end until_poll(const struct until *u, struct pollfd *fds, nfds_t n);

#endif
