import java.nio.charset.StandardCharsets;

/** A number in a znode. */
interface Counter {
    void increment() throws Exception;

    long value() throws Exception;

    static byte[] bytes(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    static long number(byte[] bytes) {
        return Long.parseLong(new String(bytes, StandardCharsets.US_ASCII));
    }
}
