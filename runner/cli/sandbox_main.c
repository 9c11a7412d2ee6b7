/* `pig sandbox` as a program of its own. */
#ifdef SANDBOX_STANDALONE
#include "cli/sandbox.h"

int main(int argc, char **argv)
{
	return sandbox_main(argc, argv);
}
#else
extern int sandbox_main_is_elsewhere;
#endif
