// Records how Clojure's compare orders values, for TestValueOrder. Clojure and
// org.fressian/fressian 0.6.8 come from Maven Central:
//
//	java -cp clojure-1.12.0.jar:spec.alpha-0.2.176.jar:core.specs.alpha-0.2.44.jar:fressian-0.6.8.jar \
//		ValueOrder.java > value-order.txt
//
// A line is a type, a value as Datomic Local stores it, in hexadecimal, and how it compares with
// each value of its type in the file: <, = or >.

import clojure.lang.BigInt;
import clojure.lang.Keyword;
import clojure.lang.Symbol;
import clojure.lang.Util;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Date;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import org.fressian.FressianWriter;
import org.fressian.handlers.WriteHandler;
import org.fressian.impl.Handlers;

class ValueOrder {
    static final Random random = new Random(1);
    static final int COUNT = 90; // of each type

    @SafeVarargs
    static <T> T pick(T... values) { return values[random.nextInt(values.length)]; }

    static void name(org.fressian.Writer w, String tag, String namespace, String name) throws java.io.IOException {
        w.writeTag(tag, 2);
        w.writeObject(namespace, true);
        w.writeObject(name, true);
    }

    static Map<String, WriteHandler> handler(String tag, WriteHandler h) { return Map.of(tag, h); }

    static byte[] fressian(Object value) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Map<Class, Map<String, WriteHandler>> ours = Map.of(
            Keyword.class, handler("key", (w, k) -> name(w, "key", ((Keyword) k).getNamespace(), ((Keyword) k).getName())),
            Symbol.class, handler("sym", (w, s) -> name(w, "sym", ((Symbol) s).getNamespace(), ((Symbol) s).getName())),
            BigInt.class, handler("bigint", (w, i) -> {
                w.writeTag("bigint", 1);
                w.writeBytes(((BigInt) i).toBigInteger().toByteArray());
            }));
        try (FressianWriter w = new FressianWriter(out, c -> ours.getOrDefault(c, Handlers.defaultWriteHandlers().valAt(c)))) {
            w.writeObject(value);
        }
        return out.toByteArray();
    }

    static String string() {
        StringBuilder s = new StringBuilder();
        for (int n = random.nextInt(5); n > 0; n--)
            s.append(pick("a", "b", "A", "\0", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ud83d", "\ude00", "\ud83d\ude00", "\ue000", "\uffff"));
        return s.toString();
    }

    static String part() { return pick("a", "b", "ab", "B", "é", "", string()); }

    static BigInteger integer() {
        return pick(BigInteger.valueOf(random.nextInt(600) - 300), BigInteger.valueOf(random.nextLong() >> random.nextInt(64)),
            new BigInteger(random.nextInt(200), random).negate(), BigInteger.ONE.shiftLeft(8 * random.nextInt(20)),
            BigInteger.ONE.shiftLeft(8 * random.nextInt(20) + 7).negate(), BigInteger.ONE.shiftLeft(8 * random.nextInt(20) + 7));
    }

    static BigDecimal decimal() {
        return pick(new BigDecimal(BigInteger.valueOf(random.nextInt(40) - 20), random.nextInt(8) - 4),
            new BigDecimal(BigInteger.TEN.pow(random.nextInt(12)), random.nextInt(24) - 12),
            new BigDecimal(integer(), random.nextInt(60) - 30),
            new BigDecimal(integer(), pick(Integer.MAX_VALUE, Integer.MIN_VALUE, 100000, -100000)));
    }

    static double number() {
        double d = pick(random.nextInt(10) - 5.0, Double.longBitsToDouble(random.nextLong()), 0.0, -0.0, 1.0, Double.MIN_VALUE,
            -Double.MIN_VALUE, Double.MAX_VALUE, 1 / 0.0, -1 / 0.0);
        return Double.isNaN(d) ? 0.5 : d;
    }

    static float smallNumber() {
        float f = pick(random.nextInt(10) - 5f, Float.intBitsToFloat(random.nextInt()), 0f, -0f, 1f, Float.MIN_VALUE, 1 / 0f, -1 / 0f);
        return Float.isNaN(f) ? 0.5f : f;
    }

    static long integral() { return pick(random.nextLong(), random.nextLong() >> random.nextInt(64), (long) random.nextInt(200) - 100); }

    static UUID uuid() {
        return new UUID(pick(random.nextLong(), 0L, -1L, Long.MIN_VALUE), pick(random.nextLong(), 0L, -1L, Long.MAX_VALUE));
    }

    public static void main(String[] args) throws Exception {
        Map<String, Supplier<Object>> types = new LinkedHashMap<>();
        types.put("long", () -> integral());
        types.put("boolean", () -> random.nextBoolean());
        types.put("instant", () -> new Date(integral()));
        types.put("string", () -> string());
        types.put("keyword", () -> Keyword.intern(pick(null, part()), part()));
        types.put("symbol", () -> Symbol.intern(pick(null, part()), part()));
        types.put("float", () -> smallNumber());
        types.put("double", () -> number());
        types.put("bigint", () -> BigInt.fromBigInteger(integer()));
        types.put("bigdec", () -> decimal());
        types.put("uuid", () -> uuid());
        for (Map.Entry<String, Supplier<Object>> type : types.entrySet()) {
            Object[] values = new Object[COUNT];
            for (int i = 0; i < COUNT; i++)
                values[i] = type.getValue().get();
            for (Object v : values) {
                StringBuilder row = new StringBuilder();
                for (Object w : values) {
                    int c = Util.compare(v, w);
                    row.append(c < 0 ? '<' : c > 0 ? '>' : '=');
                }
                System.out.println(type.getKey() + "\t" + HexFormat.of().formatHex(fressian(v)) + "\t" + row);
            }
        }
    }
}
