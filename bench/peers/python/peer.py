"""kazoo in the benchmarks: a process that does what it is told, line by line, until nobody tells it anything."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NodeExistsError
from kazoo.recipe.cache import TreeCache, TreeEvent

saying = threading.Lock()


def say(line):
    with saying:
        print(line, flush=True)


class Updates:
    """Increments by one or more threads for as long as it is told."""

    def __init__(self, client, path, threads):
        self.client, self.path, self.threads = client, path + "/value", int(threads)
        self.lock_path = path + "/lock"
        self.executor = ThreadPoolExecutor(self.threads)
        try:
            client.create(self.path, b"0", makepath=True)
        except NodeExistsError:
            pass

    def answer(self, words):
        if words[0] == "value":
            self.client.sync(self.path)
            return "value %d" % int(self.client.get(self.path)[0])
        start = time.monotonic_ns()
        until = start + int(words[1]) * 1_000_000
        counts = list(self.executor.map(self.count, [until] * self.threads))
        return "done %d %s" % (time.monotonic_ns() - start, " ".join(map(str, counts)))

    def count(self, until):
        increment, count = self.incrementer(), 0
        while time.monotonic_ns() < until:
            increment()
            count += 1
        return count


class Exclusive(Updates):
    """Under a Lock: the newest value is read and set while it is held."""

    def incrementer(self):
        lock = self.client.Lock(self.lock_path)

        def increment():
            with lock:
                data, stat = self.client.get(self.path)
                self.client.set(self.path, b"%d" % (int(data) + 1), version=stat.version)

        return increment


class Optimistic(Updates):
    """By compare-and-set, as kazoo's own Counter does it."""

    def incrementer(self):
        return self.increment

    def increment(self):
        while True:
            data, stat = self.client.get(self.path)
            try:
                self.client.set(self.path, b"%d" % (int(data) + 1), version=stat.version)
                return
            except BadVersionError:
                pass


class Follow:
    """A TreeCache of everything below a path. It says when it is complete, and then when each change is told."""

    def __init__(self, client, path):
        self.cache = TreeCache(client, path)
        self.nodes, self.initialized = 0, threading.Event()

    def answer(self, words):
        start = time.monotonic_ns()
        self.cache.listen(self.told)
        self.cache.start()
        self.initialized.wait()
        return "done %d %d" % (time.monotonic_ns() - start, self.nodes)

    def told(self, event):
        now = time.monotonic_ns()
        if event.event_type == TreeEvent.INITIALIZED:
            self.initialized.set()
        elif event.event_type == TreeEvent.NODE_ADDED:
            self.nodes += bool(event.event_data.data)
        elif event.event_type == TreeEvent.NODE_UPDATED and self.initialized.is_set():
            say("seen %s %d" % (event.event_data.data[:10].decode(), now))


def main():
    role, hosts, *rest = sys.argv[1:]
    client = KazooClient(hosts=hosts)
    client.start()
    job = {"exclusive": Exclusive, "optimistic": Optimistic, "follow": Follow}[role](client, *rest)
    say("ready")
    for line in sys.stdin:
        say(job.answer(line.split()))
    # Whatever still runs is of no interest.
    os._exit(0)


main()
