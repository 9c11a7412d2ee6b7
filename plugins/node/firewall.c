/*
 * The node's firewall: networks that are trusted, ports that are open to all. What is wanted is written down in any
 * case; it is brought about by firewalld or ufw where one of them runs. One that does not run is not started: who has
 * none may have another before the node.
 */
#include "module.h"

#define RULES "/etc/pig/firewall"

/* What the running firewall lacks of RULES, a line each, in its own words. */
#define LACKS_FIREWALLD                                                                                                \
	"while read -r k v; do case $k in\n"                                                                           \
	"intranet) firewall-cmd -q --permanent --zone=trusted --query-source=\"$v\" || echo \"--zone=trusted "         \
	"--add-source=$v\" ;;\n"                                                                                       \
	"port) firewall-cmd -q --permanent --zone=public --query-port=\"$v/tcp\" || echo \"--zone=public "             \
	"--add-port=$v/tcp\" ;;\n"                                                                                     \
	"esac; done <" RULES "\n"
#define LACKS_UFW                                                                                                      \
	"s=$(ufw status); while read -r k v; do case $k in\n"                                                          \
	"intranet) echo \"$s\" | grep -qE \"^Anywhere +ALLOW +$v *$\" || echo \"allow from $v\" ;;\n"                  \
	"port) echo \"$s\" | grep -qE \"^$v/tcp +ALLOW +Anywhere *$\" || echo \"allow $v/tcp\" ;;\n"                   \
	"esac; done <" RULES "\n"
#define FIREWALLD "command -v firewall-cmd >/dev/null && firewall-cmd -q --state 2>/dev/null"
#define UFW "command -v ufw >/dev/null && ufw status | grep -q '^Status: active'"

static void zones(pig_task *t, const struct node *p)
{
	const char *text = "# Managed by pig: node_firewall_intranet, node_firewall_public_port.\n";

	for (size_t i = 0; i < t->val->len(p->node_firewall_intranet); i++)
		text = pig_fmt(t, "%sintranet %s\n", text, node_scalar(t, t->val->at(p->node_firewall_intranet, i)));
	for (size_t i = 0; i < t->val->len(p->node_firewall_public_port); i++)
		text = pig_fmt(t, "%sport %s\n", text, node_scalar(t, t->val->at(p->node_firewall_public_port, i)));
	pig_file(t, .path = RULES, .text = text, .mode = 0644);
	pig_ensure(t, .note = "trusted networks and open ports of the firewall that runs", .flags = PIG_SOFT,
		   .want = "",
		   .probe = "if " FIREWALLD "; then\n" LACKS_FIREWALLD "elif " UFW "; then\n" LACKS_UFW "fi",
		   .apply = "if " FIREWALLD "; then\n{ " LACKS_FIREWALLD "} | while read -r a b; do "
			    "firewall-cmd -q --permanent \"$a\" \"$b\" || exit; done && firewall-cmd -q --reload\n"
			    "else { " LACKS_UFW "} | while read -r a; do ufw $a || exit; done; fi");
}

void task_node_firewall(pig_task *t)
{
	const struct node *p = t->params;

	if (!strcmp(p->node_firewall_mode, "zone")) {
		zones(t, p);
		return;
	}
	pig_file(t, .path = RULES, .state = PIG_ABSENT);
	if (!strcmp(p->node_firewall_mode, "off"))
		pig_ensure(t, .note = "no firewall", .flags = PIG_SOFT, .want = "",
			   .probe = "if " FIREWALLD "; then echo firewalld; fi; if " UFW "; then echo ufw; fi",
			   .apply = "if " FIREWALLD "; then systemctl -q disable --now firewalld || exit; fi\n"
				    "if " UFW "; then ufw --force disable; fi");
}
