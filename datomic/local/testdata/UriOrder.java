// Records how java.net.URI takes URIs apart and orders them, for TestURIOrder. Run it with Java 17
// or later:
//
//	java UriOrder.java 500 > uri-order.txt
//
// A line is a URI, its parts, and how it compares with each URI of the file: <, = or >. The parts
// are user info, host and port of a server, "registry", "none" or "opaque". A text that is no URI
// has "invalid" for its parts and compares with nothing. What is not ASCII is escaped with a
// backslash, a u and four digits. There is no port 2147483647: to Java that and none are each less
// than the other.

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

class UriOrder {
    static final Random random = new Random(1);

    static String pick(String... pieces) { return pieces[random.nextInt(pieces.length)]; }

    static String host() {
        switch (random.nextInt(5)) {
        case 0:
            return pick("", "a", "A", "b", "a.com", "A.com", "a.b.c", "a.com.", "a-b", "a--b", "-a", "a-", "a..b", ".a", "a.1",
                "a.1b", "1a", "1", "1.2", "a.b-", "xn--a", "a_b", "A_b", "é", "a%41", "a%4a");
        case 1:
            return pick("1.2.3.4", "01.2.3.4", "0001.2.3.4", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1.2.3.4.",
                "1.2.3.a", "1.2.3.4a", "1.2.3.4-b", "0000000000255.0.0.0", "9999999999.0.0.0");
        case 2:
            return pick("[::1]", "[::]", "[1:2:3:4:5:6:7:8]", "[::FFFF:1.2.3.4]", "[::ffff:1.2.3.4]", "[1::2::3]", "[::1%25]",
                "[::1%a]", "[::1%A]", "[::1%eth0]", "[]", "[::1", "::1]", "[1.2.3.4]", "[::12345]", "[1:2:3:4:5:6:7::8]", "[fe80::]");
        default:
            return pick("a", "A", "b", "B", "a.com", "b.com", "B.com", "10.0.0.1", "[::1]", "a_b", "z_b");
        }
    }

    static String authority() {
        String user = random.nextInt(3) > 0 ? "" : pick("u@", "U@", "@", "u:p@", "u@v@", "%41@", "%4a@", "%4A@", "é@", "%zz@", "[@", "?@");
        String port = random.nextInt(3) > 0 ? "" : pick(":", ":80", ":080", ":8", ":0", ":2147483646", ":2147483648", ":99999999999",
            ":-1", ":a", ":80:80", ":8é");
        return user + host() + port;
    }

    static String part() {
        StringBuilder s = new StringBuilder();
        for (int n = random.nextInt(4); n > 0; n--)
            s.append(pick("a", "A", "b", "z", "/", "//", ".", "..", ";", ":", "@", "é", "日", "\ud83d\ude00", "\ud83d", "\uffee", "%41", "%4a",
                "%4A", "%4b", "%4B", "%C3%A9", "%c3%a9", "%", "%4", "%zz", "~", "!", "'", "(", "+", "$", "&", "=", ",", "-", "_"));
        if (random.nextInt(40) == 0)
            s.append(pick("\u0080", "\u00a0", "\u2028", "\u3000", " ", "\\", "^", "<", "\"", "|", "[", "]", "{", "\u180e"));
        return s.toString();
    }

    static String uri() {
        String scheme = pick("", "", "http:", "http:", "http:", "HTTP:", "Http:", "https:", "urn:", "URN:", "a:", "a1+-.:", "1:", ":", "é:", "a_:");
        String after = "";
        switch (random.nextInt(4)) {
        case 0:
            after = part();
            break;
        case 1:
            after = pick("/", "//", "///") + part();
            break;
        default:
            after = "//" + authority() + pick("", "", "/", "/" + part());
        }
        String query = random.nextInt(3) > 0 ? "" : "?" + pick("", "q", "Q", "?", "/", part());
        String fragment = random.nextInt(3) > 0 ? "" : "#" + pick("", "f", "F", "?", "/", "#", part());
        return scheme + after + query + fragment;
    }

    static String parts(URI u) {
        if (u.isOpaque())
            return "opaque";
        if (u.getHost() != null)
            return u.getRawUserInfo() + " " + u.getHost() + " " + u.getPort();
        return u.getRawAuthority() != null ? "registry" : "none";
    }

    static String ascii(String s) {
        StringBuilder b = new StringBuilder();
        for (char c : s.toCharArray())
            b.append(c > ' ' && c < 0x7f && c != '\\' ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        return b.toString();
    }

    static char sign(int c) { return c < 0 ? '<' : c > 0 ? '>' : '='; }

    public static void main(String[] args) {
        Set<String> texts = new LinkedHashSet<>();
        for (String s : new String[] {"", "x", "/", "//", "///", "//a", "//A", "//#f", "//?q", "?", "#", "a:", "a:b", "A:b", "a:/", "a://", "a:///",
            "http://a/%4a", "http://a/%4A", "http://A/%4a", "http://a:/", "http://a/", "http://:80/", "http://u@/", "mailto:a@b", "a:b#", "a:b?c"})
            texts.add(s);
        int n = Integer.parseInt(args[0]);
        while (texts.size() < n)
            texts.add(uri());
        List<URI> uris = new ArrayList<>();
        List<String> invalid = new ArrayList<>();
        for (String s : texts) {
            try {
                uris.add(new URI(s));
            } catch (URISyntaxException e) {
                invalid.add(s);
            }
        }
        for (URI u : uris) {
            StringBuilder row = new StringBuilder();
            for (URI v : uris)
                row.append(sign(u.compareTo(v)));
            System.out.println(ascii(u.toString()) + "\t" + ascii(parts(u)).replace("\\u0020", " ") + "\t" + row);
        }
        for (String s : invalid)
            System.out.println(ascii(s) + "\tinvalid\t");
    }
}
