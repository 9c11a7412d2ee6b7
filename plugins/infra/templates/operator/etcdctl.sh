# Managed by pig. etcdctl on infra nodes, by the infra certificate.
alias e=etcdctl em='etcdctl member list -w table'
export ETCDCTL_ENDPOINTS={{ endpoints | join(',') | quote }}
export ETCDCTL_CACERT=/etc/pki/ca.crt ETCDCTL_CERT=/etc/pki/infra.crt ETCDCTL_KEY=/etc/pki/infra.key
