"""What Patroni makes of the answers etcd's gateway gives while its server is being stopped, a word each: "Unavailable" is asked again,
"Unknown" lets the leader go. The last is a fault of the request's own. With an argument, under the guard."""
import importlib.machinery
import importlib.util
import json
import sys

from patroni.dcs import etcd3

if len(sys.argv) > 1:
    loader = importlib.machinery.SourceFileLoader('guard', sys.argv[1])
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('guard', loader))
    loader.exec_module(module)
    module.guard()


class Answer:
    status = 500

    def __init__(self, code, error):
        self.data = json.dumps({'error': error, 'code': code, 'message': error}).encode()


def made_of(code, error):
    try:
        etcd3.Etcd3Client._handle_server_response(Answer(code, error))
    except etcd3.Etcd3ClientError as e:
        return type(e).__name__


print(made_of(2, 'OK: HTTP status code 200; transport: missing content-type field'), made_of(1, 'grpc: the client connection is closing'),
      made_of(1, 'context canceled'), made_of(14, 'transport is closing'), made_of(2, 'etcdserver: no such thing'))
