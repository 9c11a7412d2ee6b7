/*
 * What module etcd offers to other modules: how to reach the cluster that a host's software uses, and how to
 * administrate it. Ask with t->host->iface(t, ETCD_CLIENT); NULL when etcd is not loaded.
 *
 * Clients must show a certificate of the local CA (pig_cert with .client) and, RBAC being on, log in as a user of
 * their own. An administrative command runs on a member, where root's password is in a file:
 *
 *     pig_task *m = t->host->on(t, etcd->member(t));
 *     pig_ensure(m, .probe = pig_fmt(t, "%setcdctl user get %s", etcd->env(m), user), ...
 *
 * Other steps wait for step "etcd.etcd_auth": from then on the cluster answers and knows its root user.
 */
#ifndef PIG_ETCD_H
#define PIG_ETCD_H

#include <pig.h>

#define ETCD_CLIENT "etcd.client/1"

struct etcd_client {
	uint32_t size;
	/* names of the member hosts, inventory order: of the cluster the host's etcd_cluster names, else of group
	 * "etcd" */
	const pig_value *(*members)(pig_task *);
	/* "https://10.10.10.10:2379,https://10.10.10.11:2379" */
	const char *(*endpoints)(pig_task *);
	/* the first member host that answers; fails the task when none does */
	const char *(*member)(pig_task *);
	/* of a handle on a member's host: shell statements after which etcdctl talks to that member as root; ends
	 * in a newline */
	const char *(*env)(pig_task *);
};

#endif
