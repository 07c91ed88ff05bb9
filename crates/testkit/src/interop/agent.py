"""Drives a kazoo client by lines of JSON on standard input, and answers each by a line on standard output.

A line in is {"call": NAME, "args": {...}}, and a line out {"ok": VALUE} or {"error": EXCEPTION, "text": WORDS}.
What a watch tells comes in between as {"event": {...}}. Bytes are strings of their code points, so every byte is
one character. The first line in holds the arguments of the client itself.
"""

import json
import sys
import threading

from kazoo.client import KazooClient
from kazoo.security import ACL, Id

out = threading.Lock()


def tell(message):
    with out:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def shown(value):
    """Turns what kazoo returns into what JSON can hold."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Exception):
        return {"error": type(value).__name__}
    if isinstance(value, ACL):
        return [value.id.scheme, value.id.id, value.perms]
    if hasattr(value, "_asdict"):
        return {name: shown(field) for name, field in value._asdict().items()}
    if isinstance(value, (list, tuple, set)):
        return [shown(item) for item in value]
    return value


def arguments(args):
    """Turns what JSON can hold into what kazoo takes."""
    args = dict(args)
    if args.get("value") is not None:
        args["value"] = args["value"].encode("latin-1")
    if "acl" in args:
        args["acl"] = [ACL(perms, Id(scheme, name)) for scheme, name, perms in args["acl"]]
    if "acls" in args:
        args["acls"] = [ACL(perms, Id(scheme, name)) for scheme, name, perms in args["acls"]]
    return args


class Agent:
    def __init__(self, client):
        self.client = client

    def call(self, name, args):
        own = getattr(self, "do_" + name, None)
        if own is not None:
            return own(**args)
        return getattr(self.client, name)(**arguments(args))

    def do_watch_data(self, path):
        def changed(data, stat):
            version = None if stat is None else stat.version
            tell({"event": {"watch": "data", "path": path, "data": shown(data), "version": version}})

        self.client.DataWatch(path, changed)

    def do_watch_children(self, path):
        def changed(children):
            tell({"event": {"watch": "children", "path": path, "children": sorted(children)}})

        self.client.ChildrenWatch(path, changed)

    def do_watch_once(self, call, path):
        def fired(event):
            tell({"event": {"watch": "once", "path": event.path, "type": event.type}})

        return getattr(self.client, call)(path, watch=fired)

    def do_transaction(self, ops):
        transaction = self.client.transaction()
        for op in ops:
            args = arguments(op["args"])
            getattr(transaction, op["call"])(**args)
        return transaction.commit()

    def do_session(self):
        return self.client.client_id[0]


def main():
    client = KazooClient(**json.loads(sys.stdin.readline()))
    agent = Agent(client)
    try:
        client.start(timeout=20)
        tell({"ok": None})
        # Not `for line in sys.stdin`, which reads ahead.
        for line in iter(sys.stdin.readline, ""):
            request = json.loads(line)
            try:
                tell({"ok": shown(agent.call(request["call"], request["args"]))})
            except Exception as error:  # Whatever kazoo raises is an answer.
                tell({"error": type(error).__name__, "text": str(error)})
    except Exception as error:
        tell({"error": type(error).__name__, "text": str(error)})
    finally:
        client.stop()
        client.close()


main()
