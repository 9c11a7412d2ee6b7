# Managed by pig. etcdctl for those who may read the member's certificate.
if [ -r /etc/etcd/server.key ]; then
	export ETCDCTL_ENDPOINTS=https://127.0.0.1:{{ etcd_port }}
	export ETCDCTL_CACERT=/etc/etcd/ca.crt ETCDCTL_CERT=/etc/etcd/server.crt ETCDCTL_KEY=/etc/etcd/server.key
	if [ -r /etc/etcd/etcd.pass ]; then
		read -r ETCDCTL_PASSWORD </etc/etcd/etcd.pass
		export ETCDCTL_USER=root ETCDCTL_PASSWORD
	fi
	alias e=etcdctl em='etcdctl member list -w table'
fi
