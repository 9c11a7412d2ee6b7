#!/usr/bin/python3
"""inventory.py HOSTS [SEED]: an inventory of that many hosts and one infra host, in the shape that Ansible's figures were taken with: clusters
of three, pg_seq and pg_role on each host, ten values a cluster, sixty for all."""
import sys

NAMES = ("pg_version:15 pg_port:5432 pg_conf:tiny.yml pg_rto:norm pg_rpo:1048576 pg_max_conn:200 pg_locale:C pg_encoding:UTF8 "
         "pgbouncer_port:6432 patroni_port:8008 node_tune:tiny node_timezone:UTC pg_weight:100 pg_dbsu:postgres").split()


def main():
    count = int(sys.argv[1])
    out = ["all:", "  children:", "    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }",
           "    etcd: { hosts: { 10.10.10.10: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }"]
    for c in range((count + 2) // 3):
        out += ["    pg-%d:" % c, "      hosts:"]
        for k in range(min(3, count - c * 3)):
            n = c * 3 + k
            out.append("        10.%d.%d.%d: { pg_seq: %d, pg_role: %s }" %
                       (20 + n // 62500, n // 250 % 250, n % 250 + 1, k + 1, "replica" if k else "primary"))
        out += ["      vars:", "        pg_cluster: pg-%d" % c]
        out += ["        %s" % NAMES[(c + i) % len(NAMES)].replace(":", ": ") for i in range(8)]
        out.append("        pg_databases: [ { name: app%d, owner: dbu_app } ]" % c)
    out += ["  vars:", "    admin_ip: 10.10.10.10", "    region: default"]
    out += ["    own_value_%02d: \"value number %d of sixty\"" % (i, i) for i in range(58)]
    print("\n".join(out))


main()
