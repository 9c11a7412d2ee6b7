/*
 * What S3 has no requests for: the client's alias, policies and users. These need MinIO's own client, mcli. Where it is
 * not installed that is said, with what is left undone, and the rest goes on.
 */
#include "module.h"

/*
 * Shell: mc, the client with the configuration of who logs in there, and $al, the alias. Its secrets come by standard
 * input, which it reads when it is given no key.
 */
static const char *client(pig_task *on)
{
	const struct minio *p = on->params;
	const char *user = on->val->str(on->host->fact(on, "node_user"), "root");

	return pig_sh(on,
		      "al=%s; who=%s; h=$(getent passwd \"$who\"); h=${h%%:*}\n"
		      "mc() { runuser -u \"$who\" -- mcli --config-dir \"${h##*:}/.mcli\" \"$@\"; }\n",
		      p->minio_alias, user);
}

/* Infra nodes that can be reached, then members that are no infra nodes: where the alias is to be. */
static size_t places(pig_task *t, pig_task ***out)
{
	const pig_value *infra = t->host->members(t, "infra"), *hosts = t->host->members(t, t->cluster);
	size_t n = 0, m = t->val->len(infra), all = m + t->val->len(hosts);
	pig_task **list = t->host->alloc(t, (all + 1) * sizeof *list);

	for (size_t i = 0; i < all; i++) {
		const char *host = i < m ? minio_host(t, infra, i) : minio_host(t, hosts, i - m);
		bool twice = false;
		for (size_t k = 0; k < n; k++)
			twice |= !strcmp(list[k]->hostname, host);
		if (!twice && t->host->reach(t, host))
			list[n++] = t->host->on(t, host);
	}
	*out = list;
	return n;
}

/* A client may be there and its alias stale: the cluster itself is asked through it. */
void task_minio_alias(pig_task *t)
{
	const struct minio *p = t->params;
	const char *url = minio_endpoint(t), *without = "";
	pig_task **list;
	size_t n = places(t, &list);
	const pig_op **ops = t->host->alloc(t, (n + 1) * sizeof *ops);

	for (size_t i = 0; i < n; i++)
		ops[i] = pig_shell(list[i], .note = "is there a client", .reads = true, .cmd = "command -v mcli");
	if (!pig_await(t))
		return;
	for (size_t i = 0; i < n; i++) {
		int status = 1;
		t->host->output(t, ops[i], &status);
		if (status) {
			without = pig_fmt(t, "%s%s%s", without, *without ? ", " : "", list[i]->hostname);
			continue;
		}
		pig_ensure(list[i], .note = pig_fmt(t, "alias %s", p->minio_alias), .flags = PIG_SOFT,
			   .want = pig_fmt(t, "%s %s", p->minio_access_key, url),
			   .in = t->host->secret(t, pig_fmt(t, "%s\n%s\n", p->minio_access_key, p->minio_secret_key)),
			   .probe = pig_fmt(t,
					    "%smc ls \"$al\" >/dev/null 2>&1 || { echo 'no answer'; exit; }\n"
					    "mc --json alias list \"$al\" | tr -d ' \\n' | "
					    "sed -E 's/.*\"URL\":\"([^\"]*)\".*\"accessKey\":\"([^\"]*)\".*/\\2 \\1/'",
					    client(list[i])),
			   .apply = pig_fmt(t, "%s%s", client(list[i]),
					    pig_sh(t, "mc alias set \"$al\" %s >/dev/null", url)));
	}
	if (*without)
		t->host->warn(t, "no \"mcli\" (no package) on %s: alias \"%s\" is not set there", without,
			      p->minio_alias);
}

/* ---- policies and users ---- */

static const char *names_of(pig_task *t, const pig_value *list, const char *key)
{
	const char *text = "";

	for (size_t i = 0; i < t->val->len(list); i++)
		text = pig_fmt(t, "%s%s%s", text, *text ? ", " : "",
			       t->val->str(t->val->key(t->val->at(list, i), key), ""));
	return text;
}

/* Each bucket has a policy of its name: all of S3 in it and nowhere else. */
static void policies(pig_task *t)
{
	const struct minio *p = t->params;

	for (size_t i = 0; i < t->val->len(p->minio_buckets); i++) {
		const char *name = t->val->str(t->val->key(t->val->at(p->minio_buckets, i), "name"), "");
		pig_value *vars = t->host->map(t);
		t->host->put(t, vars, "bucket", t->host->text(t, name));
		pig_ensure(t, .note = pig_fmt(t, "policy %s", name), .in = t->host->render(t, "policy.json", vars),
			   .probe = pig_fmt(t, "%s%s", client(t),
					    pig_sh(t, "mc admin policy info \"$al\" %s >/dev/null 2>&1", name)),
			   .apply =
				   pig_fmt(t, "%s%s", client(t),
					   pig_sh(t, "mc admin policy create \"$al\" %s /dev/stdin >/dev/null", name)));
	}
}

/* "a, b" as shell words */
static const char *words_of(pig_task *t, const char *list)
{
	const char *text = "";

	for (const char *p = list; *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ", ");
		if (n)
			text = pig_fmt(t, "%s %s", text, pig_sh(t, "%s", pig_fmt(t, "%.*s", (int)n, p)));
		p += n;
	}
	return text;
}

/* Shell: what is not as wanted, a word each. The user's key is tried by logging in with it. */
static const char *lacks(pig_task *t, const char *user, const char *policies_of)
{
	return pig_fmt(t,
		       "%s%scase $(s3 '' \"$u/\") in *InvalidAccessKeyId*|*SignatureDoesNotMatch*) echo key ;; esac\n"
		       "p=$(mc --json admin user info \"$al\" %s | tr -d ' \\n' | sed -nE "
		       "'s/.*\"policyName\":\"([^\"]*)\".*/\\1/p')\n"
		       "for w in%s; do case ,$p, in *,\"$w\",*) ;; *) echo \"$w\" ;; esac; done",
		       minio_s3(t), client(t), user, policies_of);
}

static void users(pig_task *t)
{
	const struct minio *p = t->params;

	for (size_t i = 0; i < t->val->len(p->minio_users); i++) {
		const pig_value *user = t->val->at(p->minio_users, i);
		const char *name = t->val->str(t->val->key(user, "access_key"), "");
		const char *secret = t->val->str(t->val->key(user, "secret_key"), ""), *quoted = pig_sh(t, "%s", name);
		const char *want = words_of(t, t->val->str(t->val->key(user, "policy"), ""));
		pig_ensure(t, .note = pig_fmt(t, "user %s", name), .want = "", .probe_in = minio_login(t, name, secret),
			   .probe = lacks(t, quoted, want),
			   .in = t->host->secret(t, pig_fmt(t, "%s\n%s\n", name, secret)),
			   .apply = pig_fmt(t,
					    "%smc admin user add \"$al\" >/dev/null || exit\nfor w in%s; do "
					    "mc --json admin user info \"$al\" %s | tr -d ' \\n' | "
					    "grep -qE \"\\\"policyName\\\":\\\"([^\\\"]*,)?$w[,\\\"]\" || "
					    "mc admin policy attach \"$al\" \"$w\" --user %s >/dev/null || exit; done",
					    client(t), want, quoted, quoted));
	}
}

/* Users that may log in already, made by other means, are none that is missing. */
static const char *missing_users(pig_task *t)
{
	const struct minio *p = t->params;
	size_t n = t->val->len(p->minio_users);
	const pig_op **ops = t->host->alloc(t, (n + 1) * sizeof *ops);
	const char *text = "";

	for (size_t i = 0; i < n; i++) {
		const pig_value *user = t->val->at(p->minio_users, i);
		const char *name = t->val->str(t->val->key(user, "access_key"), "");
		ops[i] = pig_shell(t, .note = pig_fmt(t, "may %s log in", name), .reads = true,
				   .in = minio_login(t, name, t->val->str(t->val->key(user, "secret_key"), "")),
				   .cmd = pig_fmt(t,
						  "%scase $(s3 '' \"$u/\") in "
						  "*InvalidAccessKeyId*|*SignatureDoesNotMatch*|'') false ;; esac",
						  minio_s3(t)));
	}
	if (!pig_await(t))
		return "";
	for (size_t i = 0; i < n; i++) {
		int status = 1;
		t->host->output(t, ops[i], &status);
		if (status)
			text = pig_fmt(t, "%s%s%s", text, *text ? ", " : "",
				       t->val->str(t->val->key(t->val->at(p->minio_users, i), "access_key"), ""));
	}
	return text;
}

void task_minio_user(pig_task *t)
{
	const struct minio *p = t->params;
	int status = 1;
	const pig_op *op = pig_shell(t, .note = "is there a client", .reads = true, .cmd = "command -v mcli");

	if (!pig_await(t))
		return;
	t->host->output(t, op, &status);
	if (!status) {
		policies(t);
		users(t);
		return;
	}
	const char *missing = missing_users(t);
	if (t->val->len(p->minio_buckets))
		t->host->warn(t, "no \"mcli\" (no package) on %s: policies %s are not made", t->hostname,
			      names_of(t, p->minio_buckets, "name"));
	if (*missing)
		t->host->warn(t, "no \"mcli\" (no package) on %s: users %s are not made", t->hostname, missing);
}
