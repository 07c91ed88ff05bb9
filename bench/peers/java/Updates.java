import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Increments by one or more threads for as long as it is told. */
final class Updates implements Peer.Job {
    private final Counter counter;
    private final int threads;
    private final ExecutorService executor;

    Updates(Counter counter, int threads) {
        this.counter = counter;
        this.threads = threads;
        this.executor = Executors.newFixedThreadPool(threads);
    }

    @Override
    public String answer(String[] words) throws Exception {
        return words[0].equals("value") ? "value " + counter.value() : go(Long.parseLong(words[1]));
    }

    private String go(long millis) throws Exception {
        long start = System.nanoTime();
        List<Future<Long>> counts = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            counts.add(executor.submit(() -> count(start + millis * 1_000_000)));
        }
        StringBuilder words = new StringBuilder();
        for (Future<Long> count : counts) {
            words.append(' ').append(count.get());
        }
        return "done " + (System.nanoTime() - start) + words;
    }

    private long count(long until) throws Exception {
        long count = 0;
        while (System.nanoTime() < until) {
            counter.increment();
            count++;
        }
        return count;
    }
}
