/*
 * What module node offers to other modules. Ask with t->host->iface(t, NODE_HAPROXY); NULL when node is not loaded.
 *
 * haproxy on a node loads /etc/haproxy/haproxy.cfg, then every *.cfg of NODE_HAPROXY_DIR. A module that publishes a
 * service writes one file there and asks for the reload; both fold into one reload at the end of the step. Modules
 * must watch the same words, or each would judge the process's freshness by a mark of its own.
 */
#ifndef PIG_NODE_H
#define PIG_NODE_H

#include <pig.h>

#define NODE_HAPROXY       "node.haproxy/1"
#define NODE_HAPROXY_DIR   "/etc/haproxy/conf.d"
/* its unit too: a restart for that is marked as having read the rest */
#define NODE_HAPROXY_WATCH "/etc/systemd/system/haproxy.service /etc/haproxy/haproxy.cfg /etc/haproxy/conf.d/*.cfg"
/* validates one more file beside what is there; for pig_file's .validate */
#define NODE_HAPROXY_CHECK "haproxy -c -q -f /etc/haproxy/haproxy.cfg -f %s"

struct node_haproxy {
	uint32_t size;
	/* <name>.cfg in NODE_HAPROXY_DIR with this text, validated; state PIG_ABSENT removes it */
	pig_op *(*service)(pig_task *, const char *name, const char *text, enum pig_state);
	/* haproxy runs and has read the present files, at the end of the step */
	pig_op *(*reload)(pig_task *);
	/*
	 * haproxy's view of servers is what is known of them already, without waiting for its checks to count up: for
	 * each server that these files (a glob) check at a uri, answers holds a line "uri server UP|DOWN"; others are
	 * left to haproxy. For the end of a run that has started them.
	 */
	void (*settle)(pig_task *, const char *files, const char *answers);
};

/*
 * vector on a node reads every *.yaml of /etc/vector. A module that has logs adds a file there and asks for the reload.
 * Its transforms that are called *_log go to every endpoint; what they send needs job, ip, cls and ins.
 */
#define NODE_VECTOR       "node.vector/1"
/* the same words for all, as with haproxy */
#define NODE_VECTOR_WATCH "/etc/systemd/system/vector.service /etc/default/vector /etc/vector/*.yaml"

struct node_vector {
	uint32_t size;
	/* /etc/vector/<name>.yaml from a template of the caller's, where logs are sent; tmpl NULL: gone */
	void (*pipeline)(pig_task *, const char *name, const char *tmpl, const pig_value *vars);
	/* vector has read the present files at the end of the step; where it does not run there is nothing to tell */
	void (*reload)(pig_task *);
};

#define NODE_IDENTITY "node.identity/1"
struct node_identity {
	uint32_t size;
	/* what a host is called: <pg_cluster>-<pg_seq>, its nodename, or NULL (only the host itself knows) */
	const char *(*name)(pig_task *, const char *host);
	/* the address others reach it at: its inventory name when that is one, else its ansible_host, else its name */
	const char *(*address)(pig_task *, const char *host);
};

#endif
