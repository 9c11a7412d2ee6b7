/* The cluster's health, and its buckets by difference. */
#include "module.h"

/*
 * Answers once enough members have found each other. A new pool of many drives is formatted within some ten seconds,
 * and a member that waits looks for the others every few: a minute is several times that.
 */
void task_minio_check(pig_task *t)
{
	const struct minio *p = t->params;

	pig_wait(t, .why = pig_fmt(t, "minio cluster %s to be whole enough to write", t->cluster), .limit_s = 60,
		 .probe = pig_fmt(t, "curl -sS -f -m 5 -o /dev/null%s %s/minio/health/cluster",
				  p->minio_https ? pig_sh(t, " --cacert %s/CAs/ca.crt", minio_certs(t)) : "",
				  minio_here(t)));
}

/* What cannot be told of a server that lacks the part is a warning: the bucket is there, without it. */
static void versioned(pig_task *t, const char *name)
{
	pig_ensure(t, .note = pig_fmt(t, "versioning of bucket %s", name), .flags = PIG_SOFT, .want = "Enabled",
		   .probe_in = minio_root_login(t), .in = minio_root_login(t),
		   .probe = pig_fmt(
			   t, "%scase $(s3 '' %s) in *'<Status>Enabled</Status>'*) echo Enabled ;; *) echo off ;; esac",
			   minio_s3(t), pig_sh(t, "\"$u\"/%s'?versioning='", name)),
		   .apply =
			   pig_fmt(t,
				   "%ss3 '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' "
				   "--fail-with-body -X PUT %s >&2",
				   minio_s3(t), pig_sh(t, "\"$u\"/%s'?versioning='", name)));
}

static void locked(pig_task *t, const char *name)
{
	pig_ensure(t, .note = pig_fmt(t, "object lock of bucket %s", name), .flags = PIG_SOFT, .want = "Enabled",
		   .probe_in = minio_root_login(t),
		   .probe = pig_fmt(t,
				    "%scase $(s3 '' %s) in *'>Enabled</ObjectLockEnabled>'*) echo Enabled ;; "
				    "*) echo off ;; esac",
				    minio_s3(t), pig_sh(t, "\"$u\"/%s'?object-lock='", name)),
		   .apply =
			   "echo 'a bucket is given its lock when it is made, and this one exists without' >&2; false");
}

void task_minio_bucket(pig_task *t)
{
	const struct minio *p = t->params;

	for (size_t i = 0; i < t->val->len(p->minio_buckets); i++) {
		const pig_value *bucket = t->val->at(p->minio_buckets, i);
		const char *name = t->val->str(t->val->key(bucket, "name"), ""), *url = pig_sh(t, "\"$u\"/%s", name);
		bool lock = t->val->truth(t->val->key(bucket, "lock"), false);

		pig_ensure(
			t, .note = pig_fmt(t, "bucket %s", name), .want = "there", .probe_in = minio_root_login(t),
			.in = minio_root_login(t),
			.probe = pig_fmt(t,
					 "%scase $(s3 '' -o /dev/null -w '%%{http_code}' -I %s) in 200) echo there ;; "
					 "404) echo missing ;; *) s3 '' %s >&2; false ;; esac",
					 minio_s3(t), url, url),
			.apply = pig_fmt(t, "%ss3 '' --fail-with-body -X PUT%s %s >&2", minio_s3(t),
					 lock ? " -H 'x-amz-bucket-object-lock-enabled: true'" : "", url));
		if (t->val->truth(t->val->key(bucket, "versioning"), false))
			versioned(t, name);
		if (lock)
			locked(t, name);
	}
}
