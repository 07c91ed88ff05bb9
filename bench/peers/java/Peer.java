import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;

/** Curator in the benchmarks: a process that does what it is told, line by line, until nobody tells it anything. */
public final class Peer {
    public static void main(String[] args) throws Exception {
        // The logging of some classpath may write to standard output, which is for the answers.
        PrintStream out = System.out;
        System.setOut(System.err);
        CuratorFramework client = CuratorFrameworkFactory.newClient(args[1], new RetryOneTime(100));
        client.start();
        client.blockUntilConnected();
        Job job = switch (args[0]) {
            case "exclusive" -> new Updates(new LockedCounter(client, args[2]), Integer.parseInt(args[3]));
            case "optimistic" -> new Updates(new ValueCounter(client, args[2]), Integer.parseInt(args[3]));
            case "follow" -> new Follow(client, args[2], out);
            default -> throw new IllegalArgumentException(args[0]);
        };
        say(out, "ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            say(out, job.answer(line.split(" ")));
        }
        // Whatever still runs is of no interest.
        System.exit(0);
    }

    static void say(PrintStream out, String line) {
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }

    interface Job {
        String answer(String[] words) throws Exception;
    }
}
