/* The members of module infra's structured parameters. */
#include "rows.h"

#define M(key, kind, ...) { .name = key, .type = PIG_##kind, __VA_ARGS__ }

const struct pig_param infra_link[LINK_MEMBERS] = {
	M("name", STR, .flags = PIG_REQUIRED, .text = "What the link is called."),
	M("url", STR, .flags = PIG_REQUIRED, .text = "Where it leads: a path of the portal or a whole URL."),
	M("desc", STR, .text = "A line about it."),
	M("icon", STR, .text = "Name of its picture."),
	M("name_cn", STR, .text = "Its name on the Chinese page."),
	M("desc_cn", STR, .text = "The line about it on the Chinese page."),
};

static const struct pig_param site[] = {
	M("domain", STR, .check = "/^[A-Za-z0-9*._-]+$/", .text = "Name the site is asked for by; without one it is left out."),
	M("domains", LIST, .check = "/^[A-Za-z0-9*._-]+$/", .text = "Further names."),
	M("endpoint", STR, .check = "/^[^\\s\\/]+:[0-9]+$/", .text = "host:port that requests are passed to."),
	M("path", STR, .check = "path", .text = "Folder that is served."),
	M("conf", STR, .text = "Template of the site, in place of the one that its members ask for."),
	M("scheme", ENUM, .check = "http|https", .text = "How the endpoint is spoken to; http unless said."),
	M("websocket", BOOL, .text = "Are websockets passed on?"),
	M("cert", STR, .text = "Certificate, in place of the portal's."),
	M("key", STR, .text = "Key of that certificate."),
	M("certbot", STR, .text = "Name of the public certificate that certbot keeps for it."),
	M("enforce_https", BOOL, .text = "Is plain HTTP led to HTTPS?"),
	M("log", STR, .text = "Log file; `default` for one named after the site."),
	M("auth", BOOL, .text = "Must a user of nginx_users log in?"),
	M("realm", STR, .text = "What the login asks for."),
	M("index", ANY, .text = "Is the folder listed, or the files tried for it."),
	M("config", STR, .text = "Further lines of the site."),
};
const struct pig_param infra_portal_site[PORTAL_MEMBERS] = {
	M("*", MAP, .members = PIG_TABLE(site), .text = "A site by its own name."),
};

const struct pig_param infra_user[USER_MEMBERS] = {
	M("*", STR, .flags = PIG_SECRET, .text = "The user's password."),
};

const struct pig_param infra_env[ENV_MEMBERS] = {
	M("http_proxy", STR, .text = "Proxy for HTTP."),
	M("https_proxy", STR, .text = "Proxy for HTTPS."),
	M("all_proxy", STR, .text = "Proxy for all else."),
	M("ftp_proxy", STR, .text = "Proxy for FTP."),
	M("no_proxy", STR, .text = "Names and networks reached without one."),
	M("*", STR, .text = "Another variable."),
};

static const struct pig_param baseurl[] = {
	M("default", STR, .flags = PIG_REQUIRED, .text = "Address of the repository."),
	M("*", STR, .text = "Its mirror for the region of that name."),
};
const struct pig_param infra_upstream[UPSTREAM_MEMBERS] = {
	M("name", STR, .check = "name", .flags = PIG_REQUIRED, .text = "Name of the repository."),
	M("description", STR, .text = "What is in it."),
	M("module", STR, .flags = PIG_REQUIRED, .text = "Word of repo_modules it comes with."),
	M("releases", LIST, .check = "/^[0-9]+$/", .text = "Major versions of the OS it is for."),
	M("arch", LIST, .check = "x86_64|aarch64", .text = "Machines it is for."),
	M("baseurl", MAP, .members = PIG_TABLE(baseurl), .flags = PIG_REQUIRED, .text = "Addresses by region."),
	M("meta", MAP, .text = "Further lines of its definition."),
};
