package address

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// localEDN makes a HOME whose local.edn holds text, or has none where text is "".
func localEDN(t *testing.T, text string) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	path := filepath.Join(home, ".datomic", "local.edn")
	if text == "" {
		return path
	}
	if err := os.Mkdir(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParse(t *testing.T) {
	localEDN(t, `{:storage-dir "/var/lib//datomic/" :other 1} ; mine`)
	for _, c := range []struct{ text, want string }{
		{"datomic-local:/a/b/dev/shop", "datomic-local:/a/b/dev/shop"},
		{"datomic-local:/a/b/dev/shop/", "datomic-local:/a/b/dev/shop"},
		{"datomic-local:///a/b//dev/./shop", "datomic-local:/a/b/dev/shop"},
		{"datomic-local:/a/x/../b/dev/shop", "datomic-local:/a/b/dev/shop"},
		{"datomic-local:dev/shop", "datomic-local:/var/lib/datomic/dev/shop"},
		{"datomic-local:dev/shop/", "datomic-local:/var/lib/datomic/dev/shop"},
		{"datomic-local:dev/a shop: ü?", "datomic-local:/var/lib/datomic/dev/a shop: ü?"},
	} {
		a, err := Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if a.String() != c.want {
			t.Errorf("Parse(%q) = %v, want %v", c.text, a, c.want)
		}
		if again, err := Parse(a.String()); err != nil || again != a {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", a, again, err, a)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	localEDN(t, `{:storage-dir "/s"}`)
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, message, try string }{
		{"", "it is empty", "datomic-local:"},
		{"datomic-local:", "does not name", "SYSTEM/DB"},
		{"datomic-local:shop", "does not name", "SYSTEM/DB"},
		{"datomic-local:a/b/c", "does not name", "/abs/storage-dir"},
		{"datomic-local:/", "does not name", "/abs/storage-dir"},
		{"datomic-local:/shop", "does not name", "/abs/storage-dir"},
		{"datomic-local:/dev/shop", "root of the file system", "datomic-local:dev/shop"},
		{"datomic-local://dev/shop", "two slashes", "datomic-local:dev/shop"},
		{"datomic-local:./dev/shop", "absolute", "/abs"},
		{"datomic-local:../dev/shop", "absolute", "/abs"},
		{"datomic-local:dev//shop", "absolute", "/abs"},
		{"datomic-local:~/dev/shop", "does not expand ~", "$HOME"},
		{"datomic-local:/a/b/dev\x00/shop", "zero byte", ""},
		{"/a/b/dev/shop", "it is a path", "datomic-local:/a/b/dev/shop"},
		{"./dev/shop", "it is a path", "datomic-local:" + wd + "/dev/shop"},
		{"dev/shop", "it is a path", "datomic-local:dev/shop"},
		{"shop", "it is a path", "datomic-local:"},
		{"file:/backups/x", "Datomic Pro backup in a directory", "datomic-local:"},
		{"s3://bucket/x", "Datomic Pro backup in S3", "datomic-local:"},
		{"datomic:sql://x?jdbc:postgresql://h/d?user=u&password=hunter2", "SQL", "datomic-local:"},
		{"datomic:dev://localhost:4334/x", "peer library", "datomic-local:"},
		{`client:{:server-type :cloud :secret "hunter2"}#x`, "client library", "datomic-local:"},
		{"postgres://u:hunter2@h/db", "PostgreSQL", "datomic-local:"},
		{"postgresql://u:hunter2@h/db", "PostgreSQL", "datomic-local:"},
		{"edn:fixtures", "EDN files", "datomic-local:"},
		{"mysql://u:hunter2@h/db", "no kind of database", "datomic-local:"},
	} {
		_, err := Parse(c.text)
		var bad *Error
		if !errors.As(err, &bad) {
			t.Errorf("Parse(%q): %v, want an Error", c.text, err)
			continue
		}
		if !strings.Contains(err.Error(), c.message) || !strings.Contains(bad.Try, c.try) {
			t.Errorf("Parse(%q): %v; try %q", c.text, err, bad.Try)
		}
		if strings.Contains(err.Error()+bad.Try, "hunter2") {
			t.Errorf("Parse(%q) shows the password: %v; try %q", c.text, err, bad.Try)
		}
	}
}

func TestLocalEDN(t *testing.T) {
	for _, c := range []struct{ text, message string }{
		{"", "which does not exist"},
		{"{", "read storage-dir"},
		{"[]", "it is not a map"},
		{"{}", "it has no :storage-dir"},
		{"{:storage-dir :mem}", "databases in memory"},
		{`{:storage-dir "data"}`, "not an absolute path"},
		{`{:storage-dir 7}`, "not an absolute path"},
	} {
		path := localEDN(t, c.text)
		_, err := Parse("datomic-local:dev/shop")
		if err == nil || !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), path) {
			t.Errorf("with %q: %v", c.text, err)
		}
	}
	t.Setenv("HOME", "")
	if _, err := Parse("datomic-local:dev/shop"); err == nil || !strings.Contains(err.Error(), "HOME is not set") {
		t.Errorf("without HOME: %v", err)
	}
}

func TestParsePlace(t *testing.T) {
	localEDN(t, `{:storage-dir "/s"}`)
	for _, c := range []struct{ text, want string }{
		{"datomic-local:", "/s"},
		{"datomic-local:dev", "/s/dev"},
		{"datomic-local:dev/shop/", "/s/dev/shop"},
		{"datomic-local:/", "/"},
		{"datomic-local:/a/b/", "/a/b"},
	} {
		if got, err := ParsePlace(c.text); got != c.want || err != nil {
			t.Errorf("ParsePlace(%q) = %q, %v; want %q", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "/a", "datomic-local:a/b/c", "datomic-local:..", "s3://b"} {
		if got, err := ParsePlace(text); err == nil {
			t.Errorf("ParsePlace(%q) = %q, want an error", text, got)
		}
	}
}

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
		{"datomic:ddb://r/t/d?aws_access_key_id=A&aws_secret_key=K", "datomic:ddb://r/t/d?aws_access_key_id=A&aws_secret_key=***"},
		{`client:{:access-key "a" :secret "s\"t" :endpoint "h:80"}`, `client:{:access-key "***" :secret "***" :endpoint "h:80"}`},
		{`client:{:secret "s`, `client:{:secret "***"`},
		{`unknown flag: "--x": postgres://u:p@h/db`, `unknown flag: "--x": postgres://u:***@h/db`},
		{"datomic-local:/a/b/dev/shop", "datomic-local:/a/b/dev/shop"},
	} {
		if got := Redact(c.text); got != c.want {
			t.Errorf("Redact(%q) = %q, want %q", c.text, got, c.want)
		}
		if again := Redact(c.want); again != c.want {
			t.Errorf("Redact(%q) = %q, want no change", c.want, again)
		}
	}
}
