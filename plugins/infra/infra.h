/*
 * What module infra offers to other modules: a place on the infra nodes for what is to be watched and found by name.
 * Ask with t->host->iface(t, INFRA_REGISTER); NULL when infra is not loaded. Registration is soft: without infra nodes
 * it does nothing, and one that cannot be reached is a warning; the next run makes up for it. It is done when the
 * step is over, for all its hosts at once.
 */
#ifndef PIG_INFRA_H
#define PIG_INFRA_H

#include <pig.h>

#define INFRA_REGISTER "infra.register/1"
struct infra_register {
	uint32_t size;
	/* /infra/targets/<kind>/<name>.yml on every infra node: a file of targets with labels, as Prometheus reads it;
	 * text NULL: gone. kind: node, pgsql, redis, minio, etcd, patroni, infra, ping... */
	void (*target)(pig_task *t, const char *kind, const char *name, const char *text);
	/* names served by the infra nodes' DNS: lines "address name..." kept as /etc/dnsmasq.d/pigsty/<name>; lines
	 * NULL: gone */
	void (*dns)(pig_task *t, const char *name, const char *lines);
	/* the portal passes /haproxy/<name>/ on to this "address:port"; NULL: no more */
	void (*page)(pig_task *t, const char *name, const char *server);
};

#endif
