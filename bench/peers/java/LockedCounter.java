import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.zookeeper.KeeperException.NodeExistsException;
import org.apache.zookeeper.data.Stat;

/**
 * Increments under InterProcessMutex: the newest value is read and set while the lock is held. Each thread has a mutex
 * of its own: those that share one wake each other at each release, and list the contenders again.
 */
final class LockedCounter implements Counter {
    private final CuratorFramework client;
    private final ThreadLocal<InterProcessMutex> mutex;
    private final String path;

    LockedCounter(CuratorFramework client, String path) throws Exception {
        this.client = client;
        this.mutex = ThreadLocal.withInitial(() -> new InterProcessMutex(client, path + "/lock"));
        this.path = path + "/value";
        try {
            client.create().creatingParentsIfNeeded().forPath(this.path, Counter.bytes(0));
        } catch (NodeExistsException another) {
            // Another process was faster.
        }
    }

    @Override
    public void increment() throws Exception {
        InterProcessMutex held = mutex.get();
        held.acquire();
        try {
            Stat stat = new Stat();
            long number = Counter.number(client.getData().storingStatIn(stat).forPath(path));
            client.setData().withVersion(stat.getVersion()).forPath(path, Counter.bytes(number + 1));
        } finally {
            held.release();
        }
    }

    @Override
    public long value() throws Exception {
        client.sync().forPath(path);
        return Counter.number(client.getData().forPath(path));
    }
}
