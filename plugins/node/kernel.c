/*
 * Kernel and tuning: modules, tuned profiles, huge pages, sysctls, swap. A container refuses most of it; each refusal
 * is a warning that names what was refused.
 */
#include "module.h"

#include <stdlib.h>

void task_node_feature(pig_task *t)
{
	pig_ensure(t, .note = "swap off", .flags = PIG_SOFT,
		   .probe = "while read -r dev rest; do [ \"$dev\" = Filename ] || echo \"$dev\"; done </proc/swaps",
		   .want = "", .apply = "swapoff -a");
	pig_ensure(t, .note = "no swap in fstab", .flags = PIG_SOFT,
		   .probe = "while read -r dev dir type rest; do case $dev in '#'*) ;; *) [ \"$type\" != swap ] || "
			    "echo \"$dev\"; esac; done </etc/fstab",
		   .want = "",
		   .apply = "sed -i -E 's/^([^#[:space:]][^[:space:]]*[[:space:]]+[^[:space:]]+[[:space:]]+"
			    "swap[[:space:]].*)$/# \\1/' /etc/fstab");
}

/*
 * A module that is loaded has a folder in /sys/module or, being built in and without parameters, a line in
 * modules.builtin. Names may be written with - where the kernel has _.
 */
void task_node_kernel(pig_task *t)
{
	const struct node *p = t->params;
	const char *words = "";

	for (size_t i = 0; i < t->val->len(p->node_kernel_modules); i++) {
		const char *name = node_scalar(t, t->val->at(p->node_kernel_modules, i));
		words = pig_fmt(t, "%s %s", words, pig_sh(t, "%s", name));
		pig_file(t, .path = pig_fmt(t, "/etc/modules-load.d/%s.conf", name), .text = pig_fmt(t, "%s\n", name),
			 .mode = 0644);
	}
	pig_ensure(t, .note = "kernel modules", .flags = PIG_SOFT,
		   .probe = pig_fmt(t,
		   "read -r kernel </proc/sys/kernel/osrelease; builtin=/lib/modules/$kernel/modules.builtin\n"
				       "for m in%s; do case $m in *-*) m=$(printf %%s \"$m\" | tr - _) ;; esac\n"
				       "[ -d \"/sys/module/$m\" ] || { [ -f \"$builtin\" ] && "
				       "grep -q \"/$m\\.ko\" \"$builtin\"; } || "
				       "printf '%%s ' \"$m\"; done", words),
		   .want = "", .apply = pig_fmt(t, "modprobe -a --%s", words));
}

/* Pages of 2 MiB: the count asked for, or the share of memory; never more than nine tenths of it. */
static int64_t hugepages(pig_task *t, const struct node *p)
{
	int64_t mem = strtoll(node_fact(t, "node_mem_mb"), NULL, 10) / 2, most = mem * 9 / 10;
	double share = p->node_hugepage_ratio;

	if (p->node_hugepage_count > 0)
		return most && p->node_hugepage_count > most ? most : p->node_hugepage_count;
	if (share <= 0 || share >= 0.9)
		return 0;
	int64_t pages = (int64_t)((double)mem * share);
	return pages + ((double)pages < (double)mem * share);
}

void task_node_tune(pig_task *t)
{
	static const char *const profiles[] = { "oltp", "olap", "crit", "tiny" };
	const struct node *p = t->params;
	const char *dir = p->node_tuned_profile_dir, *mine = pig_fmt(t, "%s/%s/tuned.conf", dir, p->node_tune);
	int64_t pages = hugepages(t, p);

	pig_package(t, .names = "tuned", .flags = PIG_SOFT);
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
		pig_file(t, .path = pig_fmt(t, "%s/%s/tuned.conf", dir, profiles[i]), .mode = 0644,
			 .tmpl = pig_fmt(t, "tuned/%s.conf", profiles[i]));
	/* what `tuned-adm profile` would note down: the daemon reads it when it starts */
	pig_file(t, .path = "/etc/tuned/active_profile", .text = pig_fmt(t, "%s\n", p->node_tune), .mode = 0644);
	pig_file(t, .path = "/etc/tuned/profile_mode", .text = "manual\n", .mode = 0644);
	/* tuned rewrites those two at each start; this one says the same and is ours alone, so it can be watched */
	pig_file(t, .path = pig_fmt(t, "%s/pig.profile", dir), .text = pig_fmt(t, "%s\n", p->node_tune), .mode = 0644);
	pig_file(t, .path = "/etc/sysctl.d/hugepage.conf", .text = pig_fmt(t, "vm.nr_hugepages = %" PRId64 "\n", pages),
		 .mode = 0644);
	if (pages)
		pig_ensure(t, .note = "huge pages", .flags = PIG_SOFT,
			   .probe = "cat /proc/sys/vm/nr_hugepages", .want = pig_fmt(t,
			   "%" PRId64, pages),
			   .apply = "sysctl -q -p /etc/sysctl.d/hugepage.conf");
	pig_unit(t, .name = "tuned", .state = PIG_STARTED, .enable = 1, .flags = PIG_SOFT, .on_change = PIG_RESTART,
		 .watch = pig_fmt(t, "%s/pig.profile %s", dir, mine));
}

void task_node_sysctl(pig_task *t)
{
	const struct node *p = t->params;

	for (size_t i = 0; i < t->val->len(p->node_sysctl_params); i++)
		pig_sysctl(t, .key = t->val->key_at(p->node_sysctl_params, i), .flags = PIG_SOFT,
			   .value = node_scalar(t, t->val->at(p->node_sysctl_params, i)));
}
