package address

import (
	"errors"
	"fmt"
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
	const sql = "datomic:sql://shop?jdbc:postgresql:"
	for _, c := range []struct{ text, want, kind string }{
		{"datomic-local:/a/b/dev/shop", "datomic-local:/a/b/dev/shop", kindLocal},
		{"datomic-local:/a/b/dev/shop/", "datomic-local:/a/b/dev/shop", kindLocal},
		{"datomic-local:///a/b//dev/./shop", "datomic-local:/a/b/dev/shop", kindLocal},
		{"datomic-local:/a/x/../b/dev/shop", "datomic-local:/a/b/dev/shop", kindLocal},
		{"datomic-local:dev/shop", "datomic-local:/var/lib/datomic/dev/shop", kindLocal},
		{"datomic-local:dev/shop/", "datomic-local:/var/lib/datomic/dev/shop", kindLocal},
		{"datomic-local:dev/a shop: ü?", "datomic-local:/var/lib/datomic/dev/a shop: ü?", kindLocal},
		{"file:/backups/shop", "file:/backups/shop", kindDirectory},
		{"file:///backups/shop/", "file:/backups/shop", kindDirectory},
		{"file:/backups//a b/../shop?t=83207", "file:/backups/shop?t=83207", kindDirectory},
		{"file:/backups/a%20b?t=1", "file:/backups/a%20b?t=1", kindDirectory},
		{"s3://bucket/a/prefix", "s3://bucket/a/prefix", kindBucket},
		{"s3://bucket/a/prefix/?t=7", "s3://bucket/a/prefix?t=7", kindBucket},
		{"s3://bucket", "s3://bucket", kindBucket},
		{"s3://my.bucket-1//a//b/", "s3://my.bucket-1/a//b", kindBucket},
		{sql + "//h:5432/d", sql + "//h:5432/d", kindStorage},
		{sql + "//h/d?user=u&password=p&ssl=true", sql + "//h/d?user=u&password=***&ssl=true", kindStorage},
		{sql + "//h/d?password=", sql + "//h/d?password=***", kindStorage},
		{sql + "//h1,h2:5433/d?user=me@srv&sslpassword=p%26q", sql + "//h1,h2:5433/d?user=me@srv&sslpassword=***", kindStorage},
		{sql + "d", sql + "d", kindStorage},
		{"file:/x?t=0", "file:/x?t=0", kindDirectory},
		{"datomic:sql://*?jdbc:postgresql://h/d", "datomic:sql://*?jdbc:postgresql://h/d", kindStorage},
		{"datomic:sql://a%20b/c+ü?jdbc:postgresql://h/d", "datomic:sql://a%20b/c+ü?jdbc:postgresql://h/d", kindStorage},
	} {
		a, err := Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if a.String() != c.want || a.Kind() != c.kind {
			t.Errorf("Parse(%q) = %v, %s; want %v, %s", c.text, a, a.Kind(), c.want, c.kind)
		}
		if again, err := Parse(a.String()); err != nil || again.String() != c.want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", a, again, err, a)
		}
		if local, err := parseLocal(c.text); c.kind == kindLocal && (err != nil || local != a) {
			t.Errorf("parseLocal(%q) = %v, %v", c.text, local, err)
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
		{"file:", "does not name a directory", "file:/path"},
		{"file://backups/x", "name of a host", "file:/backups/x"},
		{"file:backups/x", "must be absolute", "file:" + wd + "/backups/x"},
		{"file:~/x", "does not expand ~", "$HOME"},
		{"file:/x\x00", "zero byte", ""},
		{"file:/x?t=", "no restore point", "dclone list file:/x"},
		{"file:/x?t=-1", "no restore point", "file:/x?t=T"},
		{"file:/x?t=-0", "no restore point", "file:/x?t=T"},
		{"file:/x?t=-1", "no restore point", "file:/x?t=T"},
		{"file:/x?t=+1", "no restore point", "file:/x?t=T"},
		{"file:/x?t=99999999999999999999", "no restore point", "file:/x?t=T"},
		{"file:/x?region=eu", "no restore point", "file:/x?t=T"},
		{"FILE:/x", "lower case", "file:/x"},
		{"s3:bucket/x", "does not name a bucket", "s3://bucket/x"},
		{"s3:///x", "does not name a bucket", "s3://bucket"},
		{"s3://a b/x", "does not name a bucket", "s3://bucket"},
		{"s3://AKIA:hunter2@bucket/x", "belong into the environment", "s3://bucket"},
		{"s3://bucket/x?t=T", "no restore point", "s3://bucket/x?t=T"},
		{"datomic:sql://x", "no JDBC URL", "datomic:sql://x?jdbc:postgresql://"},
		{"datomic:sql://?jdbc:postgresql://h/d?password=hunter2", "does not name a database", "datomic:sql://DB?jdbc:postgresql://h/d?password=***"},
		{"datomic:sql:x?jdbc:postgresql://h/d", "does not name a database", "datomic:sql://DB?jdbc:postgresql://h/d"},
		{"datomic:sql://x?postgresql://u:hunter2@h/d", "no JDBC URL", "datomic:sql://x?jdbc:postgresql://u:***@h/d"},
		{"datomic:sql://x?jdbc:postgresql://u:hunter2@h/d", "before the host", "?user=…&password=…"},
		{"datomic:sql://x?jdbc:postgresql://h/d?password=hunter2?", "question mark", "%3F"},
		{"datomic:sql://x?jdbc:postgresql://h/d&user=u&password=hunter2", "in the name of the PostgreSQL database",
			"datomic:sql://x?jdbc:postgresql://h/d?user=u&password=***"},
		{"datomic:sql://x?jdbc:postgresql://h/d;user=u;password=hunter2", "in the name of the PostgreSQL database",
			"datomic:sql://x?jdbc:postgresql://h/d?user=u&password=***"},
		{"datomic:sql://x?jdbc:postgresql://h/d?t=5", "a storage has no restore points", "file:"},
		{"datomic:sql://x?jdbc:postgresql://h/d?password=hunter2&t=5", "a storage has no restore points", "file:"},
		{"datomic:sql://x?jdbc:postgresql://h/d?password=a&hunter2", "ampersand", "%26"},
		{"datomic:sql://x?jdbc:postgresql://h/d?password=hunter2\nx", "line break", ""},
		{"datomic:SQL://x?jdbc:postgresql://h/d", "lower case", "datomic:sql://x?jdbc:"},
		{"datomic:mem://x", "memory of a peer", "Datomic Local"},
		{"postgres://u:hunter2@h/db", "it is a PostgreSQL database; this version reads", "datomic:sql://"},
		{"postgresql://u:hunter2@h/db", "PostgreSQL", "datomic:sql://"},
		{"jdbc:postgresql://h/db?password=hunter2", "PostgreSQL", "datomic:sql://"},
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

func TestParseDestRefuses(t *testing.T) {
	for _, c := range []struct{ text, message string }{
		{"file:/x", "it is a Datomic Pro backup in a directory; a clone is a Datomic Local database, or one that"},
		{"s3://b/x", "it is a Datomic Pro backup in S3; a clone is"},
		{"datomic:sql://x?jdbc:postgresql://h/d?password=hunter2", "it is Datomic Pro storage in PostgreSQL, which is not written to directly"},
		{"datomic:mem://x", "in the memory of a peer"},
		{"DATOMIC-LOCAL:/a/b/c", "lower case"},
		{"/a/b/c", "it is a path"},
		{"", "empty"},
	} {
		_, err := ParseDest(c.text)
		var bad *Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.message) || strings.Contains(err.Error()+bad.Try, "hunter2") {
			t.Errorf("ParseDest(%q): %v", c.text, err)
		}
	}
}

func TestBackup(t *testing.T) {
	for _, text := range []string{"file:/b", "s3://b/p"} {
		a, err := Parse(text)
		b, ok := a.(Backup)
		if err != nil || !ok || b.At(7).String() != text+"?t=7" || b.At(7).At(Newest) != b {
			t.Errorf("Parse(%q) = %v, %v", text, a, err)
		}
		if at, ok := b.Point(); ok {
			t.Errorf("%s names restore point %d", b, at)
		}
		if at, ok := b.At(7).Point(); !ok || at != 7 {
			t.Errorf("%s names restore point %d, %v", b.At(7), at, ok)
		}
	}
}

// A backup whose path was given without a scheme is recognised.
func TestBackupPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "roots"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := Parse(dir)
	if bad, ok := err.(*Error); !ok || bad.Try != "file:"+dir {
		t.Errorf("Parse(%q): %v", dir, err)
	}
}

func TestStorage(t *testing.T) {
	const text = "datomic:sql://shop?jdbc:postgresql://h/d?user=u&password=hunter2&ssl=true"
	a, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	s := a.(Storage)
	if s.DB != "shop" || s.JDBC() != "jdbc:postgresql://h/d?user=u&password=hunter2&ssl=true" {
		t.Errorf("Parse(%q) = %s, %s", text, s.DB, s.JDBC())
	}
	if other := s.Named("x"); other.String() != strings.Replace(s.String(), "shop", "x", 1) || other.JDBC() != s.JDBC() {
		t.Errorf("named x: %v, %s", other, other.JDBC())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if shown := fmt.Sprintf(verb, a); strings.Contains(shown, "hunter2") {
			t.Errorf("%s shows the password: %s", verb, shown)
		}
	}
	// Asterisks are no password.
	a, err = Parse(s.String())
	if again := a.(Storage); err != nil || again.JDBC() != "jdbc:postgresql://h/d?user=u&ssl=true" || again.String() != s.String() {
		t.Errorf("Parse(%q) = %v with %s, %v", s, again, again.JDBC(), err)
	}
}
