/* `pig sandbox`: real Debian nodes with systemd and sshd on this machine, to try `pig` on. See docs/sandbox.md. */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H

/* argv[0] is "sandbox"; the result is the exit status. */
int sandbox_main(int argc, char **argv);

#endif
