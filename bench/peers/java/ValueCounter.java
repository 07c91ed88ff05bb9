import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.shared.SharedValue;
import org.apache.curator.framework.recipes.shared.VersionedValue;

/** Increments by compare-and-set, with the recipe that Curator has for it: SharedValue. */
final class ValueCounter implements Counter {
    private final CuratorFramework client;
    private final SharedValue shared;
    private final String path;

    ValueCounter(CuratorFramework client, String path) throws Exception {
        this.client = client;
        this.path = path + "/value";
        this.shared = new SharedValue(client, this.path, Counter.bytes(0));
        shared.start();
    }

    @Override
    public void increment() throws Exception {
        VersionedValue<byte[]> seen;
        do {
            seen = shared.getVersionedValue();
        } while (!shared.trySetValue(seen, Counter.bytes(Counter.number(seen.getValue()) + 1)));
    }

    @Override
    public long value() throws Exception {
        client.sync().forPath(path);
        return Counter.number(client.getData().forPath(path));
    }
}
