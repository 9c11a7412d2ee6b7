/* What the parts of `pig sandbox` share. Everything allocated lives in sb->a; one command, one arena. */
#ifndef CLI_SANDBOX_IN_H
#define CLI_SANDBOX_IN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/os.h"

#define SB_PREFIX "pig-sandbox."
#define SB_USER "dba"
#define SB_UID 1000
#define SB_CTL_ADDRESS "10.10.10.5"

enum { SB_NODES_MAX = 64, SB_BINDS_MAX = 16 };

struct sandbox {
	struct arena *a;
	const char *name;  /* of the sandbox */
	const char *state; /* the folder of images and sandboxes */
	const char *dir;   /* state/NAME */
	unsigned nodes;
	const char *image;		 /* "bare" or "full" */
	const char *rootfs;		 /* the cached image's folder, once known */
	uint64_t memory;		 /* bytes per node */
	const char *binds[SB_BINDS_MAX]; /* HOSTDIR:PATH */
	unsigned nbinds;
	int lock; /* held while something is changed; -1 when not */
};

struct sandbox_node {
	unsigned index;
	const char *name, *address;
	const char *dir;      /* state/NAME/nodes/NODE */
	const char *root;     /* dir/root, the mounted overlay */
	const char *machine;  /* NAME-NODE: network namespace and machine name */
	const char *cgroup;   /* pig-sandbox.NAME.NODE */
	const char *pid_file; /* nspawn's pid and start time */
	const char *log;      /* the console */
};

/* sandbox_state.c: names, files and locks */
struct sandbox_node sandbox_node_at(const struct sandbox *s, unsigned i);
bool sandbox_node_find(const struct sandbox *s, const char *name, struct sandbox_node *out, struct err *e);
/* Wait for the lock of that name; *fd holds it until it is closed. */
const char *sandbox_lock_file(const struct sandbox *s, const char *what);
bool sandbox_lock(struct sandbox *s, const char *what, int *fd, struct err *e);
bool sandbox_save(const struct sandbox *s, struct err *e);
/* false when there is no such sandbox, or its up never came to its end; then *e says so. */
bool sandbox_load(struct sandbox *s, struct err *e);
bool sandbox_complete(const struct sandbox *s);
/* Run words up to NULL; a non-zero status is an error that carries the command's stderr. out may be NULL. */
bool sandbox_run(const struct sandbox *s, struct buf *out, struct err *e, ...) __attribute__((sentinel));
/* Names in a folder, sorted by nothing; an absent folder is empty. */
char **sandbox_names(struct arena *a, const char *dir, size_t *n);
/* The beginning of a small file, NUL ended, without memory of its own: for loops that wait. */
bool sandbox_peek(const char *path, char *out, size_t size);
/* A line for people, on stderr. */
void sandbox_put(const char *fmt, ...) ARENA_PRINTF(1);

/* sandbox_image.c */
bool sandbox_image_ready(struct sandbox *s, struct err *e);

/* sandbox_sources.c: the machine's own apt sources of its own release. list: one-line form, deb822: paragraphs. */
struct sandbox_sources {
	const char *codename;
	struct buf list, deb822;
	const char **options; /* --aptopt=... words, NULL ended */
};
bool sandbox_sources_read(const struct sandbox *s, struct sandbox_sources *out, struct err *e);

/* sandbox_net.c */
bool sandbox_net_exists(const struct sandbox *s, const char *netns);
bool sandbox_net_up(const struct sandbox *s, struct err *e);
/* The node's link at the switch. */
bool sandbox_link_set(const struct sandbox *s, const struct sandbox_node *n, bool up, struct err *e);
bool sandbox_link_is_cut(const struct sandbox *s, const struct sandbox_node *n);
/* Move this process into a namespace; NULL: the controller's. */
bool sandbox_net_enter(const struct sandbox *s, const char *netns, struct err *e);
/* Wait until every node of the list answers on port 22; a node that ended ends the wait. */
bool sandbox_net_wait(const struct sandbox *s, const struct sandbox_node *nodes, unsigned n, int limit_ms,
		      struct err *e);
/* Delete the namespaces of this name; processes of others inside them are named on stderr. */
bool sandbox_net_down(const struct sandbox *s, struct err *e);

/* sandbox_cgroup.c */
/* Whether this machine can limit a node's memory. */
bool sandbox_cgroup_check(const struct sandbox *s, struct err *e);
bool sandbox_cgroup_make(const struct sandbox *s, const struct sandbox_node *n, struct err *e);
/* Move the calling process in; no allocation, for use between fork and exec. */
bool sandbox_cgroup_join(char *const *procs);
char **sandbox_cgroup_procs(const struct sandbox *s, const struct sandbox_node *n);
uint64_t sandbox_cgroup_memory(const struct sandbox *s, const struct sandbox_node *n);
/*
 * Kill what is in the cgroups and wait for its end; remove: then remove them. which: one cgroup's name, or with a final
 * dot the beginning of the names of all nodes of a sandbox.
 */
bool sandbox_cgroup_kill(const struct sandbox *s, const char *which, bool remove, struct err *e);
unsigned sandbox_cgroup_count(const struct sandbox *s, const char *which);

/* sandbox_node.c */
bool sandbox_node_prepare(const struct sandbox *s, const struct sandbox_node *n, struct err *e);
bool sandbox_node_boot(const struct sandbox *s, const struct sandbox_node *n, struct err *e);
/* Wait until the nodes can be logged in to; what does not come up is named with the end of its console. */
bool sandbox_node_wait(const struct sandbox *s, const struct sandbox_node *nodes, unsigned n, struct err *e);
bool sandbox_node_stop(const struct sandbox *s, const struct sandbox_node *n, bool hard, struct err *e);
/* The pid of the node's nspawn, or 0 when it does not run. */
pid_t sandbox_node_pid(const struct sandbox_node *n);

/* sandbox_keys.c */
bool sandbox_keys_make(const struct sandbox *s, struct err *e);
bool sandbox_keys_node(const struct sandbox *s, const struct sandbox_node *n, struct err *e);

/* sandbox_clear.c: remove what a sandbox of this name left, whatever state it is in. */
bool sandbox_clear(struct sandbox *s, struct err *e);

/* sandbox_cmd.c */
struct sandbox_request {
	const char *node;	  /* the NODE operand */
	const char *const *words; /* after --, NULL ended */
	bool json, kill;
	bool nodes_given, image_given, memory_given;
};
int sandbox_up(struct sandbox *s, const struct sandbox_request *r, struct err *e);
int sandbox_down(struct sandbox *s, const struct sandbox_request *r, struct err *e);
int sandbox_status(struct sandbox *s, const struct sandbox_request *r, struct err *e);
int sandbox_shell(struct sandbox *s, const struct sandbox_request *r, struct err *e);
int sandbox_stop(struct sandbox *s, const struct sandbox_request *r, struct err *e);
int sandbox_start(struct sandbox *s, const struct sandbox_request *r, struct err *e);
int sandbox_cut(struct sandbox *s, const struct sandbox_request *r, struct err *e);
int sandbox_heal(struct sandbox *s, const struct sandbox_request *r, struct err *e);

#endif
