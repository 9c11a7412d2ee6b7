/* What the files of module minio share. */
#ifndef MINIO_MODULE_H
#define MINIO_MODULE_H

#include <inttypes.h>
#include <pig.h>
#include <string.h>

struct minio {
	const char *minio_type;
	int64_t minio_seq;
	const char *minio_cluster;
	bool minio_https;
	const char *minio_user;
	const char *minio_node;
	const char *minio_data;
	const char *minio_volumes;
	const char *minio_domain;
	int64_t minio_port;
	int64_t minio_admin_port;
	const char *minio_access_key;
	const char *minio_secret_key;
	const char *minio_extra_vars;
	bool minio_provision;
	const char *minio_alias;
	const char *minio_endpoint;
	const pig_value *minio_buckets;
	const pig_value *minio_users;
	bool minio_safeguard;
	bool minio_rm_data;
	bool minio_rm_pkg;
};

enum { MINIO_PARAMS = 22, MINIO_RULES = 9 };
extern const struct pig_param minio_params[MINIO_PARAMS];
extern const struct pig_rule minio_rules[MINIO_RULES];

#define MINIO_ENV  "/etc/default/minio"
#define MINIO_UNIT "/etc/systemd/system/minio.service"

/* layout.c: drives and members in MinIO's notation of ranges; nothing here knows a host */

/* "/data{1...4}": how many folders that names; 0 when it is not well formed */
size_t minio_drives(const char *pattern);
/* the i-th of them; false when it does not fit into the room */
bool minio_drive(const char *pattern, size_t i, char *room, size_t size);
/* Names of members that differ in their number alone, and the numbers follow on each other: the names before and behind
 * it, lowest and highest. */
struct minio_range { size_t before, behind /* lengths, of names[first] */, first; int64_t from, to; };
bool minio_range(const char *const *names, const int64_t *seqs, size_t n, struct minio_range *range);

/* who.c: names and addresses */
const char *minio_host(pig_task *t, const pig_value *hosts, size_t i);
const char *minio_address(pig_task *t, const char *host);
const char *minio_instance(pig_task *t, const char *host);
const char *minio_node(pig_task *t, const char *host);
const char *minio_home(pig_task *t);
const char *minio_certs(pig_task *t);
/* what the server is to serve; NULL once the task has failed */
const char *minio_volumes(pig_task *t);
/* the i-th folder on this host's drives */
const char *minio_folder(pig_task *t, size_t i);
/* "https://sss.pigsty:9000": where clients find the cluster */
const char *minio_endpoint(pig_task *t);
/* this member, from the host itself */
const char *minio_here(pig_task *t);

/* install.c, config.c: what is on a member's disk, and its unit */
void task_minio_os_user(pig_task *t);
void task_minio_pkg(pig_task *t);
void task_minio_dir(pig_task *t);
void task_minio_conf(pig_task *t);
void task_minio_cert(pig_task *t);
void task_minio_dns(pig_task *t);
void task_minio_launch(pig_task *t);
void task_minio_register(pig_task *t);

/* s3.c: requests signed by curl */

/* Shell: `s3 BODY curl's words...`, and $u, the member's URL. Credentials come by standard input: minio_login(). */
const char *minio_s3(pig_task *t);
const char *minio_login(pig_task *t, const char *access_key, const char *secret_key);
const char *minio_root_login(pig_task *t);

/* provision.c: by S3 itself */
void task_minio_check(pig_task *t);
void task_minio_bucket(pig_task *t);

/* client.c: by mcli, where it is installed */
void task_minio_alias(pig_task *t);
void task_minio_user(pig_task *t);

/* remove.c */
void task_minio_deregister(pig_task *t);
void task_minio_stop(pig_task *t);
void task_minio_rm_data(pig_task *t);
void task_minio_rm_config(pig_task *t);
void task_minio_rm_pkg(pig_task *t);

#endif
