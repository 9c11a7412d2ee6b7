/* A connection that the kernel would acknowledge late, as both sides have spoken in turn, acknowledges at once when told to. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "host/tcp.h"

static int at_once(int fd)
{
	int yes = -1;
	socklen_t n = sizeof yes;

	return getsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &yes, &n) ? -1 : yes;
}

static bool said(int from, int to)
{
	struct pollfd p = { to, POLLIN, 0 };
	char c;

	return write(from, "x", 1) == 1 && poll(&p, 1, 5000) == 1 && read(to, &c, 1) == 1;
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	struct until u = until_in(5000, NULL);
	struct err e = { 0 };
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(!bind(door, (struct sockaddr *)&at, n) && !listen(door, 1) && !getsockname(door, (struct sockaddr *)&at, &n));
	int fd = tcp_connect("here", "127.0.0.1", ntohs(at.sin_port), AF_INET, &u, &e);
	int peer = accept(door, NULL, NULL);
	CHECK(fd >= 0 && peer >= 0);
	for (int i = 0; i < 100 && at_once(fd) != 0; i++)
		CHECK(said(peer, fd) && said(fd, peer));
	CHECK_INT(at_once(fd), 0);
	tcp_acknowledge(fd);
	CHECK_INT(at_once(fd), 1);
	close(fd);
	close(peer);
	close(door);
	return check_done();
}
