/* pig ca: the local CA and what it issues, over the runner's own code. */
#include "verbs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

const struct pig_option ca_options[5] = {
	{ .name = "san", .arg = "NAMES", .text = "names and addresses, a,b,10.0.0.1; localhost,127.0.0.1 if not given", .many = 1 },
	{ .name = "ou", .arg = "UNIT", .text = "organizational unit, pigsty if not given" },
	{ .name = "days", .arg = "N", .text = "lifetime, 7300 if not given" },
	{ .name = "store", .arg = "FOLDER", .text = "folder below files/pki, misc if not given" },
	{ .name = "client", .text = "for clients as well: logs in by certificate" },
};

/* "CN = x, OU = y", the text of an extension, ...: what OpenSSL prints */
static const char *printed(pig_call *c, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	const char *s = c->cli->fmt(c, "%.*s", (int)n, p);

	BIO_free(b);
	return s;
}

static const char *name_text(pig_call *c, const X509_NAME *name)
{
	BIO *b = BIO_new(BIO_s_mem());

	X509_NAME_print_ex(b, name, 0, XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	return printed(c, b);
}

static const char *names_text(pig_call *c, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	const char *all = "";

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		BIO *b = BIO_new(BIO_s_mem());
		GENERAL_NAME_print(b, sk_GENERAL_NAME_value(names, i));
		all = c->cli->fmt(c, "%s%s%s", all, *all ? ", " : "", printed(c, b));
	}
	GENERAL_NAMES_free(names);
	return all;
}

static const char *fingerprint(pig_call *c, X509 *x)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	const char *hex = "";

	X509_digest(x, EVP_sha256(), md, &n);
	for (unsigned i = 0; i < n; i++)
		hex = c->cli->fmt(c, "%s%02x", hex, md[i]);
	return hex;
}

static int show(pig_call *c, const char *file, const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	pig_value *v = c->cli->map(c);
	int days = 0, secs = 0;

	BIO_free(b);
	if (!x)
		return c->cli->fail(c, PIG_BAD_INPUT, "\"%s\" holds no certificate in PEM", file);
	ASN1_TIME_diff(&days, &secs, NULL, X509_get0_notAfter(x));
	BIO *end = BIO_new(BIO_s_mem());
	ASN1_TIME_print(end, X509_get0_notAfter(x));
	c->cli->put(c, v, "file", c->cli->text(c, file));
	c->cli->put(c, v, "subject", c->cli->text(c, name_text(c, X509_get_subject_name(x))));
	c->cli->put(c, v, "issuer", c->cli->text(c, name_text(c, X509_get_issuer_name(x))));
	c->cli->put(c, v, "names", c->cli->text(c, names_text(c, x)));
	c->cli->put(c, v, "until", c->cli->text(c, printed(c, end)));
	c->cli->put(c, v, "days_left", c->cli->number(c, days));
	c->cli->put(c, v, "sha256", c->cli->text(c, fingerprint(c, x)));
	X509_free(x);
	if (c->as_json)
		c->cli->print(c, v);
	for (size_t i = 0; !c->as_json && i < c->val->len(v); i++) {
		const pig_value *item = c->val->at(v, i);
		const char *text = c->val->str(item, c->cli->fmt(c, "%d", (int)c->val->num(item, 0)));
		if (*text)
			c->cli->out(c, "%-10s %s\n", c->val->key_at(v, i), text);
	}
	return PIG_DONE;
}

static const char *ca_file(pig_call *c)
{
	return c->cli->fmt(c, "%s/files/pki/ca/ca.crt", c->cli->inventory_dir(c));
}

static int ca_init(pig_call *c)
{
	bool made = false;
	const char *pem = c->cli->ca(c, true, &made);

	if (!pem)
		return PIG_FAILED;
	if (!c->as_json)
		c->cli->out(c, made ? "made\n" : "it is there already\n");
	return show(c, ca_file(c), pem);
}

static int ca_show(pig_call *c, const char *file)
{
	const char *pem = *file ? c->cli->read(c, file, NULL) : c->cli->ca(c, false, NULL);

	if (pem)
		return show(c, *file ? file : ca_file(c), pem);
	if (c->cli->failed(c))
		return PIG_BAD_INPUT;
	c->cli->fail(c, PIG_BAD_INPUT, "there is no CA in %s/files/pki/ca", c->cli->inventory_dir(c));
	c->cli->hint(c, "pig ca init makes it, and so does the first run that needs it.");
	return PIG_BAD_INPUT;
}

static int ca_issue(pig_call *c, const char *name)
{
	const pig_value *given = c->val->key(c->options, "san");
	const char *sans = "", *days = OPT(c, "days");
	bool issued = false;
	char *end;
	long n = *days ? strtol(days, &end, 10) : 7300;

	if (!*name)
		return c->cli->fail(c, PIG_BAD_INPUT, "pig ca issue needs the name that the certificate is for");
	if (n < 1 || n > 36500 || (*days && *end))
		return c->cli->fail(c, PIG_BAD_INPUT, "--days takes a number from 1 to 36500, not \"%s\"", days);
	if (strchr(OPT(c, "store"), '/') || OPT(c, "store")[0] == '.')
		return c->cli->fail(c, PIG_BAD_INPUT, "--store takes a folder's name, not \"%s\"", OPT(c, "store"));
	for (size_t i = 0; i < c->val->len(given); i++)
		sans = c->cli->fmt(c, "%s%s%s", sans, *sans ? "," : "", c->val->str(c->val->at(given, i), ""));
	const struct pig_cert want = { .size = sizeof want, .cn = name, .ou = *OPT(c, "ou") ? OPT(c, "ou") : "pigsty",
				       .sans = *sans ? sans : "localhost,127.0.0.1", .days = (uint32_t)n,
				       .store = *OPT(c, "store") ? OPT(c, "store") : "misc",
				       .client = OPT_ON(c, "client") };
	const char *path = c->cli->cert(c, &want, &issued);
	if (!path)
		return PIG_FAILED;
	if (!c->as_json)
		c->cli->out(c, "%s %s.crt and %s.key\n", issued ? "issued" : "kept", path, path);
	const char *file = c->cli->fmt(c, "%s.crt", path), *pem = c->cli->read(c, file, NULL);
	return pem ? show(c, file, pem) : PIG_FAILED;
}

int verb_ca(pig_call *c)
{
	const char *what = WORD(c, 0), *word = WORD(c, 1);

	if (!*what || !strcmp(what, "show"))
		return ca_show(c, word);
	if (!strcmp(what, "init") && !*word)
		return ca_init(c);
	if (!strcmp(what, "issue"))
		return ca_issue(c, word);
	c->cli->fail(c, PIG_BAD_INPUT, "pig ca does not know \"%s%s%s\"", what, *word ? " " : "", word);
	c->cli->hint(c, "Say show, init or issue NAME.");
	return PIG_BAD_INPUT;
}
