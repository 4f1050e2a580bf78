package address

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParsePeer(t *testing.T) {
	const dev = "datomic:dev://localhost:4334/x"
	for _, c := range []struct{ text, shown, uri, kind, db string }{
		{dev, dev, dev, "dev storage", "x"},
		{dev + "?password=p&h2-port=1", dev + "?password=***&h2-port=1", dev + "?password=p&h2-port=1", "dev storage", "x"},
		{dev + "?password=***&h2-port=1", dev + "?password=***&h2-port=1", dev + "?h2-port=1", "dev storage", "x"},
		{dev + "?h2-port=1&password=***", dev + "?h2-port=1&password=***", dev + "?h2-port=1", "dev storage", "x"},
		{dev + "?a-token=***&password=***", dev + "?a-token=***&password=***", dev, "dev storage", "x"},
		{"datomic:ddb://eu-west-1/t/x?aws_access_key_id=A&aws_secret_key=p", "datomic:ddb://eu-west-1/t/x?aws_access_key_id=***&aws_secret_key=***",
			"datomic:ddb://eu-west-1/t/x?aws_access_key_id=A&aws_secret_key=p", "DynamoDB", "x"},
		{"datomic:ddb-local://h:8000/t/x", "datomic:ddb-local://h:8000/t/x", "datomic:ddb-local://h:8000/t/x", "DynamoDB", "x"},
		{"datomic:cass3://h:9042/k.t/x?user=u&password=p&ssl=true", "datomic:cass3://h:9042/k.t/x?user=u&password=***&ssl=true",
			"datomic:cass3://h:9042/k.t/x?user=u&password=p&ssl=true", "Cassandra", "x"},
		{"datomic:inf://h:1/x", "datomic:inf://h:1/x", "datomic:inf://h:1/x", "peer library", "x"},
		{"datomic:sql://x?jdbc:mysql://h/d?user=u&password=p", "datomic:sql://x?jdbc:mysql://h/d?user=u&password=***",
			"datomic:sql://x?jdbc:mysql://h/d?user=u&password=p", "SQL database", "x"},
		{"datomic:sql://x?jdbc:oracle:thin:u/p@h:1521:xe", "datomic:sql://x?jdbc:oracle:thin:u/***@h:1521:xe",
			"datomic:sql://x?jdbc:oracle:thin:u/p@h:1521:xe", "SQL database", "x"},
		{"datomic:sql://x?jdbc:sqlserver://h;user=u;password=p", "datomic:sql://x?jdbc:sqlserver://h;user=u;password=***",
			"datomic:sql://x?jdbc:sqlserver://h;user=u;password=p", "SQL database", "x"},
		{"datomic:sql://x?jdbc:sqlserver://h;password=***;user=u", "datomic:sql://x?jdbc:sqlserver://h;password=***;user=u",
			"datomic:sql://x?jdbc:sqlserver://h;user=u", "SQL database", "x"},
		{"datomic:sql://x?jdbc:postgresql://h/d?via=peer", "datomic:sql://x?jdbc:postgresql://h/d?via=peer",
			"datomic:sql://x?jdbc:postgresql://h/d", "SQL database", "x"},
		{"datomic:sql://x?jdbc:postgresql://h/d?user=u&via=peer&password=p", "datomic:sql://x?jdbc:postgresql://h/d?user=u&password=***&via=peer",
			"datomic:sql://x?jdbc:postgresql://h/d?user=u&password=p", "SQL database", "x"},
	} {
		a, err := Parse(c.text)
		p, ok := a.(Peer)
		if err != nil || !ok {
			t.Errorf("Parse(%q) = %#v, %v", c.text, a, err)
			continue
		}
		if p.String() != c.shown || p.URI() != c.uri || p.DB != c.db || !strings.Contains(p.Kind(), c.kind) {
			t.Errorf("Parse(%q) = %s, URI %s, name %s, %s", c.text, p, p.URI(), p.DB, p.Kind())
		}
		if again, err := Parse(c.shown); err != nil || again.String() != c.shown {
			t.Errorf("Parse(%q) = %v, %v", c.shown, again, err)
		}
	}
}

func TestParseClient(t *testing.T) {
	localEDN(t, `{:storage-dir "/s"}`)
	dir := t.TempDir()
	t.Chdir(dir)
	file := filepath.Join(dir, "c#1.edn")
	if err := os.WriteFile(file, []byte("; mine\n{:server-type :peer-server :secret \"p\"}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, shown, arg, dir string }{
		{"client:c#1.edn#x", "client:" + file + "#x", `{:server-type :peer-server, :secret "p"}`, ""},
		{"client:" + file + "#x", "client:" + file + "#x", `{:server-type :peer-server, :secret "p"}`, ""},
		{`client:{:server-type :cloud :region "eu" :system "s"}#my.x-1`, `client:{:server-type :cloud, :region "eu", :system "s"}#my.x-1`,
			`{:server-type :cloud, :region "eu", :system "s"}`, ""},
		{`client:{:server-type :peer-server :access-key "a" :secret "p" :endpoint "h:8998"}#x`,
			`client:{:server-type :peer-server, :access-key "***", :secret "***", :endpoint "h:8998"}#x`,
			`{:server-type :peer-server, :access-key "a", :secret "p", :endpoint "h:8998"}`, ""},
		{`client:{:server-type :peer-server, :access-key "***", :secret "***", :endpoint "h:8998"}#x`,
			`client:{:server-type :peer-server, :access-key "***", :secret "***", :endpoint "h:8998"}#x`,
			`{:server-type :peer-server, :endpoint "h:8998"}`, ""},
		{`client:{:server-type :x :aws {:credentials {:a 1}} "aws_access_key_id" [1]}#x`,
			`client:{:server-type :x, :aws {:credentials "***"}, "aws_access_key_id" "***"}#x`,
			`{:server-type :x, :aws {:credentials {:a 1}}, "aws_access_key_id" [1]}`, ""},
		{`client:{:server-type :x :endpoint "http://u:p@h"}#x`, `client:{:server-type :x, :endpoint "http://u:***@h"}#x`,
			`{:server-type :x, :endpoint "http://u:p@h"}`, ""},
		{`client:{:server-type :datomic-local :storage-dir "/a//b" :system "dev"}#x`,
			`client:{:server-type :datomic-local, :storage-dir "/a//b", :system "dev"}#x`,
			`{:server-type :datomic-local, :storage-dir "/a//b", :system "dev"}`, "/a/b/dev/x"},
		{`client:{:server-type :dev-local :system "dev"}#x`, `client:{:server-type :dev-local, :system "dev"}#x`,
			`{:server-type :dev-local, :system "dev"}`, "/s/dev/x"},
	} {
		a, err := Parse(c.text)
		p, ok := a.(Client)
		if err != nil || !ok {
			t.Errorf("Parse(%q) = %#v, %v", c.text, a, err)
			continue
		}
		if p.String() != c.shown || p.Arg() != c.arg || p.Dir() != c.dir || p.Kind() != kindClient {
			t.Errorf("Parse(%q) = %s, map %s, directory %q, %s", c.text, p, p.Arg(), p.Dir(), p.Kind())
		}
		if again, err := Parse(c.shown); err != nil || again.String() != c.shown {
			t.Errorf("Parse(%q) = %v, %v", c.shown, again, err)
		}
	}
}

func TestParseLiveRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bad.edn", []byte("{:server-type :cloud :secret \"hunter2\" x}"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, message, try string }{
		{"datomic:mem://x", "memory of a peer", "Datomic Local"},
		{"datomic:dev:", "does not name a database", "datomic:dev://host:4334/DB"},
		{"datomic:dev://h:1/?password=hunter2", "does not name a database", "datomic:dev://"},
		{"datomic:x?password=hunter2", "does not name a database", "datomic:dev://"},
		{"datomic:DEV://h:1/x?password=hunter2", "lower case", "datomic:dev://h:1/x?password=***"},
		{"datomic:dev://h:1/x\n", "line break", ""},
		{"datomic:sql://x?jdbc:postgresql://u:hunter2@h/d?via=peer", "before the host", "?user=…"},
		{"client:", "does not name a database", "client:FILE.edn#DB"},
		{"client:#x", "no argument map", "client:FILE.edn#DB"},
		{"client:missing.edn#x", "no such file", "client:FILE.edn#DB"},
		{"client:.#x", "no regular file", "client:FILE.edn#DB"},
		{"client:~/x.edn#x", "does not expand ~", "$HOME"},
		{"client:bad.edn", "does not name a database", "client:FILE.edn#DB"},
		{"client:bad.edn#x", "not EDN from line 1, column", "client:FILE.edn#DB"},
		{`client:{:server-type :cloud :secret "hunter2"}`, "does not name a database", "client:FILE.edn#DB"},
		{`client:{:server-type :cloud :secret "hunter2"}#`, "does not name a database", "client:FILE.edn#DB"},
		{`client:{:server-type :cloud :secret "hunter2"}#a/b`, "does not name a database", "client:FILE.edn#DB"},
		{`client:{:server-type :cloud :secret "hunter2"}#..`, "does not name a database", "client:FILE.edn#DB"},
		{`client:{:secret "hunter2"}#x`, "no :server-type", "client:FILE.edn#DB"},
		{`client:{:server-type "cloud" :secret hunter2}#x`, "no :server-type", "client:FILE.edn#DB"},
		{`client:{:server-type :cloud :secret "hunter2}#x`, "not EDN", "client:FILE.edn#DB"},
		{`client:{:server-type :datomic-local :storage-dir :mem :system "x"}#x`, "memory cannot be read", "Datomic Local"},
		{`client:{:server-type :datomic-local :system "x"#x`, "column 1 on: map is not closed", "client:FILE.edn#DB"},
		{`client:{:server-type :datomic-local :storage-dir "/a"}#x`, "no :system", `:system "SYSTEM"`},
		{`client:{:server-type :datomic-local :storage-dir "a" :system "x"}#x`, ":storage-dir is not absolute", "/abs/storage-dir"},
		{`client:{:server-type :dev-local :storage-dir "../a" :system "x"}#*`, ":storage-dir is not absolute", "/abs/storage-dir"},
		{`CLIENT:{:secret "hunter2"}#x`, "lower case", `client:{:secret "***"}#x`},
	} {
		_, err := Parse(c.text)
		var bad *Error
		if !errors.As(err, &bad) {
			t.Errorf("Parse(%q): %v, want an Error", c.text, err)
			continue
		}
		if !strings.Contains(bad.Error(), c.message) || !strings.Contains(bad.Try, c.try) {
			t.Errorf("Parse(%q): %v; try %s", c.text, err, bad.Try)
		}
		if strings.Contains(bad.Error()+bad.Try, "hunter2") {
			t.Errorf("Parse(%q) shows a secret: %v; try %s", c.text, err, bad.Try)
		}
	}
}

func TestRedactClient(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`client:{:secret "p"}#x`, `client:{:secret "***"}#x`},
		{`client:{:secret "a\"b}c" :x "y"}#x: it failed`, `client:{:secret "***" :x "y"}#x: it failed`},
		{`open "client:{:secret \"a\\\"b\", :x 1}#x": {:password 3}`, `open "client:{:secret \"***\", :x 1}#x": {:password 3}`},
		{`client:{:a {:secret p} :b 1}#x`, `client:{:a {:secret ***} :b 1}#x`},
		{`client:{"db password","p q"}#x`, `client:{"db password","***"}#x`},
		{`client:{:secret {:a "p"}}#x`, `client:{:secret ***}`},
		{`client:{:secret #_ 1 "p"}#x`, `client:{:secret ***}`},
		{`client:{:secret ; "x"`, `client:{:secret ***}`},
		{`client:{:secret"p q"}#x`, `client:{***}`},
		{`client:{:secret "p`, `client:{:secret "***"}`},
		{`client:{:secret }#x "p"`, `client:{:secret }#x "p"`},
		{`client:{\" :secret "p q"}`, `client:{***}`},
		{`CLIENT: {:pwd p}`, `CLIENT: {:pwd ***}`},
		{`'client:{:secret "p"}#x' 'client:{:token "q"}#y'`, `'client:{:secret "***"}#x' 'client:{:token "***"}#y'`},
		{`client:secret.edn#x: no`, `client:secret.edn#x: no`},
	} {
		if got := Redact(c.text); got != c.want {
			t.Errorf("Redact(%q) = %q, want %q", c.text, got, c.want)
		}
		if again := Redact(c.want); again != c.want {
			t.Errorf("Redact(%q) = %q, want no change", c.want, again)
		}
	}
}

func FuzzRedactClient(f *testing.F) {
	for _, s := range []string{"", "p", "a b", "}", "\\", "#x", ";", "'", "@", "{:secret ", "***", ":x"} {
		f.Add(s, s)
	}
	f.Setenv("HOME", f.TempDir())
	f.Fuzz(func(t *testing.T, before, after string) {
		secret := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(before + needle + after)
		for _, text := range []string{
			`client:{:server-type :cloud :secret "` + secret + `"}#x`,
			`client:{:server-type :peer-server :access-key "` + secret + `" :endpoint "h:1"}#x: cause`,
			`client:{:server-type :x :a [{"my password","` + secret + `"}] :x {}}#x`,
			`client:{:server-type :x :credentials {:a "` + secret + `"}}#x`,
			`client:{:secret "` + secret,
		} {
			if got := Redact(text); strings.Contains(got, needle) {
				t.Errorf("Redact(%q) = %q", text, got)
			} else if again := Redact(got); again != got {
				t.Errorf("Redact(%q) = %q", got, again)
			}
			a, err := Parse(text)
			if err != nil && strings.Contains(err.Error(), needle) || err == nil && strings.Contains(a.String(), needle) {
				t.Errorf("Parse(%q) = %v, %v", text, a, err)
			}
			if err == nil {
				if again, err := Parse(a.String()); err != nil || again.String() != a.String() {
					t.Errorf("Parse(%q) = %v, %v", a, again, err)
				}
			}
		}
	})
}

// An asterisk stands for all databases, of which one can be named.
func TestNamed(t *testing.T) {
	localEDN(t, `{:storage-dir "/s"}`)
	for _, text := range []string{"datomic:dev://h:1/*", "datomic:ddb://eu/t/*?aws_secret_key=***", "datomic:sql://*?jdbc:mysql://h/d?password=***",
		"datomic:sql://*?jdbc:postgresql://h/d?user=u/v&password=***&via=peer", `client:{:server-type :cloud, :system "s"}#*`,
		`client:{:server-type :datomic-local, :system "dev"}#*`} {
		a, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if _, err := ParseDest(text); err == nil || !strings.Contains(err.Error(), "stands for all databases") {
			t.Errorf("ParseDest(%q): %v", text, err)
		}
		want, err := Parse(strings.Replace(text, "*", "x", 1))
		if err != nil {
			t.Fatal(err)
		}
		var got Address
		switch a := a.(type) {
		case Peer:
			got = a.Named("x")
		case Client:
			got = a.Named("x")
		}
		if got != want || a.String() != text {
			t.Errorf("%s: named x it is %#v, want %#v", a, got, want)
		}
	}
}
