// A service in Java that tells its time, and whether its timers go on.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.format.DateTimeFormatterBuilder;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

public class Clock {
    public static void main(String[] arguments) throws Exception {
        var timers = Executors.newScheduledThreadPool(1);
        var format = new DateTimeFormatterBuilder().appendInstant(3).toFormatter();
        var lock = new Object();
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.createContext("/", exchange -> {
            boolean timer;
            try {
                long begun = System.nanoTime();
                timers.schedule(() -> {}, 20, TimeUnit.MILLISECONDS).get();
                synchronized (lock) {
                    lock.wait(20);
                }
                Thread.sleep(20);
                timer = System.nanoTime() - begun >= 55_000_000;
            } catch (Exception error) {
                timer = false;
            }
            byte[] body = ("{\"now\":\"" + format.format(Instant.now()) + "\",\"timer\":" + timer + "}").getBytes();
            exchange.getResponseHeaders().add("content-type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        System.out.println("listening");
    }
}
