import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;

/** A CuratorCache of everything below a path. It says when it is complete, and then when each change is told. */
final class Follow implements Peer.Job {
    private final CuratorFramework client;
    private final String path;
    private final PrintStream out;
    private final CountDownLatch initialized = new CountDownLatch(1);

    Follow(CuratorFramework client, String path, PrintStream out) {
        this.client = client;
        this.path = path;
        this.out = out;
    }

    @Override
    public String answer(String[] words) throws Exception {
        long start = System.nanoTime();
        CuratorCache cache = CuratorCache.build(client, path);
        cache.listenable().addListener(
            CuratorCacheListener.builder().forInitialized(initialized::countDown).build());
        cache.listenable().addListener(
            CuratorCacheListener.builder().forCreatesAndChanges(this::changed).afterInitialized().build());
        cache.start();
        initialized.await();
        long took = System.nanoTime() - start;
        return "done " + took + " " + cache.stream().filter(node -> node.getData().length > 0).count();
    }

    private void changed(ChildData before, ChildData after) {
        long now = System.nanoTime();
        String data = new String(after.getData(), StandardCharsets.US_ASCII);
        Peer.say(out, "seen " + data.substring(0, 10) + " " + now);
    }
}
