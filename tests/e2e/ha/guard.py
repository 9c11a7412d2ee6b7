"""On a member, by its real etcd: a leader whose lease ran out while it could not see that another one leads since. Prints what it makes
of the key: "True a" steals it, "False b" leaves it. With an argument, under the guard."""
import importlib.machinery
import importlib.util
import sys

from patroni.config import Config
from patroni.dcs import get_dcs

if len(sys.argv) > 1:
    loader = importlib.machinery.SourceFileLoader('guard', sys.argv[1])
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('guard', loader))
    loader.exec_module(module)
    module.guard()


def member(name):
    config = Config('/etc/patroni/patroni.yml').copy()
    config.update(name=name, namespace='/pg/pg-test/', scope='guard')
    return get_dcs(config)


a, b = member('a'), member('b')
a._client.deleteprefix(a.client_path(''))
assert a.attempt_to_acquire_leader()
while True:
    nodes = a._client.get_cluster(a.client_path(''))
    if any(n['key'].endswith('/leader') for n in nodes):
        break
a._client.get_cluster = lambda path: nodes  # what a member that is cut off goes on seeing
a._client.call_rpc('/lease/revoke', {'ID': a._lease})
while not b.attempt_to_acquire_leader():
    pass
a.get_cluster()
result = a._update_leader()
kvs = b._client.call_rpc('/kv/range', {'key': importlib.import_module('base64').b64encode(b.leader_path.encode()).decode()})['kvs']
print(result, importlib.import_module('base64').b64decode(kvs[0]['value']).decode())
b._client.deleteprefix(b.client_path(''))
