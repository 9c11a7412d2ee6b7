#ifndef INFRA_REPO_RULES_H
#define INFRA_REPO_RULES_H

#include <pig.h>

/* repo_rules.c */
void rule_repo_upstream(pig_check *c);
void rule_node_repo(pig_check *c);
void rule_repo_url_packages(pig_check *c);

#define REPO_RULES \
	{ .id = "repo_upstream", .scope = PIG_ALL, .check = rule_repo_upstream }, \
	{ .id = "node_repo_modules", .scope = PIG_HOST, .check = rule_node_repo, .flags = PIG_BY_VALUES }, \
	{ .id = "repo_url_packages", .scope = PIG_ALL, .check = rule_repo_url_packages }

#endif
