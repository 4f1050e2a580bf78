package address

import (
	"regexp"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"postgres://u:p@h/db", "postgres://u:***@h/db"},
		{"postgres://u:p@s/s:w@h/db", "postgres://u:***@h/db"},
		{"postgres://u:p s@h/db", "postgres://u:***@h/db"},
		{"postgres://:p@h/db", "postgres://:***@h/db"},
		{"postgres://u@h:5432/db", "postgres://u@h:5432/db"},
		{"postgres://h/db?user=u&password=p&x=1", "postgres://h/db?user=u&password=***&x=1"},
		{"postgres://h/db?sslpassword=p", "postgres://h/db?sslpassword=***"},
		{"password=p", "password=***"},
		{"datomic:sql://d?jdbc:postgresql://h/b?user=u&password=p", "datomic:sql://d?jdbc:postgresql://h/b?user=u&password=***"},
		{"datomic:ddb://r/t/d?aws_access_key_id=A&aws_secret_key=K", "datomic:ddb://r/t/d?aws_access_key_id=***&aws_secret_key=***"},
		{`client:{:access-key "a" :secret "s\"t" :endpoint "h:80"}`, `client:{:access-key "***" :secret "***" :endpoint "h:80"}`},
		{`client:{:secret "s`, `client:{:secret "***"}`},
		{`client:{:system "x"#db`, `client:{:system "x"#db***}`},
		{`client:{:system "x}#db`, `client:{:system ***}`},
		{`client:{:aws {:secret "s`, `client:{:aws {:secret "***"}}`},
		{`unknown flag: "--x": postgres://u:p@h/db`, `unknown flag: "--x": postgres://u:***@h/db`},
		{"datomic-local:/a/b/dev/shop", "datomic-local:/a/b/dev/shop"},
		{"postgres://u:***@h/db: no route to h@x", "postgres://u:***@h/db: no route to h@x"},
		{"open s3://bucket: denied to me@x", "open s3://bucket: denied to me@x"},
		{"jdbc:postgresql://h:5432/d?user=me@srv", "jdbc:postgresql://h:5432/d?user=me@srv"},
		{"jdbc:postgresql://h:5432,g:5433/d?user=me@srv", "jdbc:postgresql://h:5432,g:5433/d?user=me@srv"},
		{"x?password=***: connection refused", "x?password=***: connection refused"},
		{"x?password=***p", "x?password=***"},
		{"x?password=a&b;c d", "x?password=***"},
		{"x?password=a&b&ssl=true", "x?password=***&ssl=true"},
		{"x?awsSecretKey=K;sslPassword=p;user=u", "x?awsSecretKey=***;sslPassword=***;user=u"},
		{"jdbc:oracle:thin:u/p/q@h:1521:xe", "jdbc:oracle:thin:u/***@h:1521:xe"},
		{"host=h password='p q' dbname=d", "host=h password=***"},
		{"AWS_SECRET_KEY=K", "AWS_SECRET_KEY=***"},
	} {
		if got := Redact(c.text); got != c.want {
			t.Errorf("Redact(%q) = %q, want %q", c.text, got, c.want)
		}
		if again := Redact(c.want); again != c.want {
			t.Errorf("Redact(%q) = %q, want no change", c.want, again)
		}
	}
}

// What FuzzRedact hides, in places where a password may stand.
const needle = "hunter2"

// nextParam is what would end a password for those who read the address too.
var nextParam = regexp.MustCompile(`[&;][A-Za-z][\w.-]*=|^(?:\*\*\*|…)|["\n]`)

func FuzzRedact(f *testing.F) {
	for _, s := range []string{"", "p", "a b", "a&b", "/", "@", "a:b", "?", "%26", "'", "=x"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		secret := before + needle + after
		if nextParam.MatchString(secret) {
			return
		}
		for _, text := range []string{
			"datomic:sql://d?jdbc:postgresql://h:5432/b?user=u&password=" + secret,
			"datomic:sql://d?jdbc:postgresql://h:5432/b?password=" + secret + "&user=me@srv: cause",
			"open x?sslpassword=" + secret,
			"datomic:ddb://r/t/d?aws_access_key_id=A&aws_secret_key=" + secret,
			"jdbc:sqlserver://h;user=u;password=" + secret + ";x=y",
		} {
			if got := Redact(text); strings.Contains(got, needle) {
				t.Errorf("Redact(%q) = %q", text, got)
			} else if again := Redact(got); again != got {
				t.Errorf("Redact(%q) = %q", got, again)
			}
		}
		if port.MatchString(secret+"@") || strings.HasPrefix(secret, hidden+"@") {
			return
		}
		if got := Redact("postgres://u:" + secret + "@h/db"); strings.Contains(got, needle) {
			t.Errorf("Redact hides no %q: %q", secret, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"datomic-local:/a/b/c", "file:/x?t=7", "s3://b/p", "datomic:sql://d?jdbc:postgresql://h/b?user=u&password=p",
		"datomic:sql://d?jdbc:postgresql://h/b?user=u&", "datomic:dev://h:1/x?password=", "client:{:secret \"", "postgres://u:p@h/b", "x/y"} {
		f.Add(s)
	}
	f.Setenv("HOME", f.TempDir())
	f.Fuzz(func(t *testing.T, text string) {
		checkParse(t, text)
		for _, secret := range []string{needle + text, text + needle} {
			if !nextParam.MatchString(secret) {
				checkParse(t, "datomic:sql://d?jdbc:postgresql://h/b?user=u&password="+secret)
				checkParse(t, "datomic:dev://h:1/d?password="+secret)
			}
		}
	})
}

// checkParse makes sure that what an address prints is the address, and holds no password.
func checkParse(t *testing.T, text string) {
	secret := strings.Contains(text, "password="+needle) || strings.HasSuffix(text, needle)
	a, err := Parse(text)
	if err != nil {
		bad, ok := err.(*Error)
		if !ok || secret && strings.Contains(bad.Error()+bad.Try, needle) {
			t.Errorf("Parse(%q): %v; try %q", text, err, bad.Try)
		}
		return
	}
	shown := a.String()
	host, _ := Host(a)
	if secret && strings.Contains(shown+Identity(a)+host, needle) {
		t.Errorf("Parse(%q) = %s, %s on %s", text, shown, Identity(a), host)
	}
	again, err := Parse(shown)
	if err != nil || again.String() != shown {
		t.Errorf("Parse(%q) = %v, %v", shown, again, err)
	}
}
