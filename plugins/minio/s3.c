/*
 * S3 requests from the member itself, signed by curl: they do for any S3 server. Credentials travel on standard input
 * into curl's configuration, past every argument list.
 */
#include "module.h"

const char *minio_s3(pig_task *t)
{
	const struct minio *p = t->params;

	/* the digest of the body is given: curl before 8.0 leaves it out where there is no body, and S3 asks for it */
	return pig_fmt(t,
		       "u=%s; k=$(cat); s3() { b=$1; shift; h=$(printf %%s \"$b\" | sha256sum)\n"
		       "printf '%%s\\n' \"$k\" | curl -sS -m 10 -K -%s -H \"x-amz-content-sha256: ${h%%%% *}\" "
		       "${b:+--data-binary \"$b\"} \"$@\"; }\n",
		       minio_here(t), p->minio_https ? pig_sh(t, " --cacert %s/CAs/ca.crt", minio_certs(t)) : "");
}

/* In curl's configuration a quoted text ends at a quote; both it and the backslash are written behind a backslash. */
static const char *quoted(pig_task *t, const char *s)
{
	char *out = t->host->alloc(t, 2 * strlen(s) + 1), *p = out;

	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			*p++ = '\\';
		*p++ = *s;
	}
	return out;
}

const char *minio_login(pig_task *t, const char *access_key, const char *secret_key)
{
	return t->host->secret(t, pig_fmt(t, "user = \"%s:%s\"\naws-sigv4 = \"aws:amz:us-east-1:s3\"\n",
					  quoted(t, access_key), quoted(t, secret_key)));
}

const char *minio_root_login(pig_task *t)
{
	const struct minio *p = t->params;

	return minio_login(t, p->minio_access_key, p->minio_secret_key);
}
