// Records how Clojure and Java read and print numbers and instants, for TestJVM:
//
//	java -cp clojure-1.12.0.jar:spec.alpha-0.2.176.jar:core.specs.alpha-0.2.44.jar Vectors.java > jvm.txt
//
// Java must be 19 or later: before, Double.toString did not always print the fewest digits.
// A line is: kind, value, text. The text of inst-read and decimal-read is what was read, and the
// value what came of it.

import clojure.java.api.Clojure;
import clojure.lang.IFn;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Date;
import java.util.Random;

class Vectors {
    static final IFn readInst = (IFn) Clojure.var("clojure.core", "read-string");
    static final IFn prStr = (IFn) Clojure.var("clojure.core", "pr-str");

    static void line(String kind, Object value, Object text) {
        System.out.println(kind + "\t" + value + "\t" + text);
    }

    static void inst(long ms) { line("inst", ms, prStr.invoke(new Date(ms))); }

    static void readInst(String text) {
        Object value;
        try {
            value = ((Date) readInst.invoke("#inst \"" + text + "\"")).getTime();
        } catch (RuntimeException e) {
            value = "error";
        }
        line("inst-read", value, text);
    }

    static void dbl(double d) { line("double", Long.toHexString(Double.doubleToRawLongBits(d)), prStr.invoke(d)); }

    static void flt(float f) { line("float", Integer.toHexString(Float.floatToRawIntBits(f)), prStr.invoke(f)); }

    static void decimal(BigInteger unscaled, int scale) {
        line("decimal", unscaled + " " + scale, prStr.invoke(new BigDecimal(unscaled, scale)));
    }

    static void readDecimal(String text) {
        Object value;
        try {
            BigDecimal d = new BigDecimal(text);
            value = d.unscaledValue() + " " + d.scale();
        } catch (NumberFormatException e) {
            value = "error";
        }
        line("decimal-read", value, text + "M");
    }

    public static void main(String[] args) {
        Random random = new Random(1);
        long first = -62135769600000L, last = 253402300799999L; // of the years 1 and 9999
        for (long ms : new long[] {0, 1, -1, first, last, -12219292800000L, -12219292800001L, 951782400000L})
            inst(ms);
        for (int i = 0; i < 100; i++)
            inst(first + (long) (random.nextDouble() * (last - first)));
        for (int i = 0; i < 100; i++) // when calendars changed
            inst(-12219292800000L + (long) (random.nextGaussian() * 3e11));
        for (String text : new String[] {
            "2024", "2024-02", "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "2024-13", "2024-00", "2024-04-31",
            "2024-02-29T12", "2024-02-29T12:34", "2024-02-29T12:34:56", "2024-02-29T12:34:56.7", "2024-02-29T12:34:56.7899999",
            "2024-02-29T24", "2024-02-29T12:60", "2024-02-29T12:34:60", "2024-12-31T23:59:60", "2024-12-31T23:59:61",
            "2024-02-29T12:34:56.789Z", "2024-02-29T12:34:56+01:30", "2024-02-29T12:34:56-23:59", "2024-02-29T12:34+24:00",
            "2024-02-29T12:34+12:60", "2024Z", "2024-02-01:00", "2024-02+01:00", "2024-02-29Z", "2024-02-29t12", "24", "20245",
            "0000", "0001-01-01", "0000-12-31", "1582-10-04", "1582-10-05", "1582-10-10", "1582-10-14", "1582-10-15",
            "1582-02-29", "1581-02-28", "1300-12-31", "2024-02-29T12:34:56.", "2024-02-29T", " 2024", "2024 ", ""})
            readInst(text);
        for (int i = 0; i < 100; i++)
            readInst(String.format("%04d-%02d-%02dT%02d:%02d:%02d", random.nextInt(2200), 1 + random.nextInt(12),
                1 + random.nextInt(28), random.nextInt(24), random.nextInt(60), random.nextInt(60)));
        for (double d : new double[] {0, -0.0, 1, -1, 0.1, 100, 1e-3, 9.999e-4, 1e7, 9999999, 1.0E10, 123456789.125, 1e22, 1e23,
            2e-3, 2.2250738585072014e-308, Double.MIN_VALUE, Double.MAX_VALUE, Double.NaN, 1 / 0.0, -1 / 0.0})
            dbl(d);
        for (float f : new float[] {0, -0f, 1, 0.1f, 1e7f, 1e-3f, 16777216, 3.4e38f, Float.MIN_VALUE, Float.MAX_VALUE, Float.NaN})
            flt(f);
        for (int i = 0; i < 100; i++) {
            dbl(Double.longBitsToDouble(random.nextLong()));
            dbl(random.nextInt(1000000) / 1000.0);
            flt(Float.intBitsToFloat(random.nextInt()));
        }
        for (String u : new String[] {"0", "1", "-1", "10", "123", "-12345678901234567890"})
            for (int scale : new int[] {0, 1, 2, 3, 5, 6, 7, 8, 30, -1, -2, -30, Integer.MAX_VALUE, Integer.MIN_VALUE})
                decimal(new BigInteger(u), scale);
        for (int i = 0; i < 100; i++)
            decimal(new BigInteger(random.nextInt(120), random), random.nextInt(80) - 40);
        for (String text : new String[] {"1", "+1", "-1", "007", "1.", "1.50", "1e5", "1E+5", "1e-05", "1.5E-7", "1E2147483648",
            "1E2147483649", "1E-2147483647", "1E-2147483648", "12.5E2147483648", "1E99999999999", "0E5", "0.000"})
            readDecimal(text);
    }
}
