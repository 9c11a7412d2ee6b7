/* What the files of module etcd share. */
#ifndef ETCD_MODULE_H
#define ETCD_MODULE_H

#include <inttypes.h>
#include <pig.h>
#include <string.h>

struct etcd {
	int64_t etcd_seq;
	const char *etcd_cluster;
	bool etcd_learner;
	const char *etcd_data;
	int64_t etcd_port;
	int64_t etcd_peer_port;
	const char *etcd_init;
	int64_t etcd_election_timeout;
	int64_t etcd_heartbeat_interval;
	const char *etcd_root_password;
	bool etcd_safeguard;
	bool etcd_clean;
	bool etcd_rm_data;
	bool etcd_rm_pkg;
};

#define ETCD_CONF "/etc/etcd/etcd.conf"
#define ETCD_PASS "/etc/etcd/etcd.pass"

/* config.c: what is on a member's disk */
void task_etcd_install(pig_task *t);
void task_etcd_dir(pig_task *t);
void task_etcd_cert(pig_task *t);
void task_etcd_config(pig_task *t);
/* write etcd.conf: peers as "name=url,...", state new | existing */
void etcd_conf(pig_task *t, const char *peers, const char *state);

/* member.c: who is in the cluster; starting, joining, restarting */
void task_etcd_start(pig_task *t);
void task_etcd_member(pig_task *t);
void task_etcd_launch(pig_task *t);
void task_etcd_vote(pig_task *t);
void etcd_quorum(pig_task *t);
/*
 * May this host, which holds no data, found the cluster? false: it must join (published as etcd_join), or the task
 * has failed.
 */
bool etcd_founds(pig_task *t);

/* remove.c: members that leave, and what the infra nodes know of them */
void task_etcd_register(pig_task *t);
void task_etcd_deregister(pig_task *t);
void task_etcd_leave(pig_task *t);
void task_etcd_stop(pig_task *t);
void task_etcd_rm_data(pig_task *t);
void task_etcd_rm_pkg(pig_task *t);

/* auth.c: RBAC, and the interface other modules use */
void task_etcd_auth(pig_task *t);
const pig_value *etcd_client_members(pig_task *t);
const char *etcd_client_endpoints(pig_task *t);
const char *etcd_client_member(pig_task *t);
const char *etcd_client_env(pig_task *t);
void etcd_answers(pig_task *t);
/* shell statements: certificates and endpoints for etcdctl, no user */
const char *etcd_env(pig_task *t, const char *endpoints);
/* the same, and root's login, which is ignored while RBAC is off */
const char *etcd_env_root(pig_task *t, const char *endpoints);
/* Shell, after etcd_env, with login.json on its standard input: begins to find out whether it is to print "rbac on", on the
 * host that looks; `wait` for it. */
const char *etcd_rbac_ahead(pig_task *t);
/*
 * Shell, after etcd_env: does the member take part in a quorum? Being asked for a user is an answer, too: it comes
 * after the round of the cluster that every read needs.
 */
#define ETCD_ANSWERS "o=$(etcdctl endpoint health --command-timeout=3s 2>&1); case $o in *'is healthy'*|" \
	"*'user name is empty'*|*'permission denied'*) ;; *) echo \"$o\" >&2; false ;; esac"

/* Shell, after etcd_env of the member: is it a learner? Of this they answer anybody. */
#define ETCD_LEARNS "case $(etcdctl endpoint status -w json --command-timeout=3s 2>/dev/null) in " \
	"*'\"isLearner\":true'*) ;; *) false ;; esac"

/*
 * Shell, after etcd_env: `call WORDS` is `etcdctl WORDS`, tried again for 30 s ($within, if set) while etcd puts off its
 * answer: it refuses a change of members while one of them has not been connected for its health interval of 5 s, and
 * what is under way when the leader changes ends as an error (also the question that follows when the leader itself was
 * removed); a learner has to catch up before it may vote, and answers nothing when it happens to be asked. A change
 * whose answer was lost is refused the second time: whoever makes one looks afterwards whether it is made. $first is
 * run before each try.
 */
#define ETCD_CALL "first=\ncall() { read -r s x </proc/uptime; s=$((${s%%.*} + ${within:-30}))\n" \
	"while ! o=$($first; etcdctl \"$@\" 2>&1); do read -r n x </proc/uptime\n" \
	"case $o in *'unhealthy cluster'*|*'leader changed'*|*'no leader'*|*'timed out'*|*'deadline exceeded'*|\\\n" \
	"*'in sync with leader'*|*'not supported for learner'*)\n" \
	"[ \"${n%%.*}\" -lt $s ] && sleep 0.2 && continue ;; esac\n" \
	"echo \"$o\" >&2; return 1; done; echo \"$o\"; }\n"

/* Shell, after etcd_env: who is in the cluster, by a member that answers at once; the client's log lines left out. */
#define ETCD_LIST "within=5\n" ETCD_CALL "call member list --command-timeout=5s | grep -v '^{'"

/* who.c: names, addresses and URLs */
const char *etcd_address(pig_task *t, const char *host);
const char *etcd_name(pig_task *t, const char *host);
const char *etcd_client_url(pig_task *t, const char *host);
const char *etcd_peer_url(pig_task *t, const char *host);
/* client URLs of these hosts but one (NULL: of all), joined by commas */
const char *etcd_urls(pig_task *t, const pig_value *hosts, const char *but);
/* shell: does anyone listen on the client port? */
const char *etcd_listens(pig_task *t);
/* "name=peer url,..." of all members the inventory knows */
const char *etcd_peers(pig_task *t);
const char *etcd_host(pig_task *t, const pig_value *hosts, size_t i);
/* One line of `etcdctl member list`: id, status, name, peer URLs, client URLs, learner. Gives the rest of the text. */
struct etcd_member { const char *id, *name, *peer, *client; bool learner; };
const char *etcd_member_line(pig_task *t, const char *text, struct etcd_member *m);

#endif
