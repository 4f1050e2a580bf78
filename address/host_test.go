package address

import (
	"os"
	"strings"
	"testing"
)

func TestHost(t *testing.T) {
	localEDN(t, `{:storage-dir "/s"}`)
	const sql = "datomic:sql://x?jdbc:"
	for _, c := range []struct {
		text, name string
		here       bool
	}{
		{"datomic-local:dev/x", "", true},
		{`client:{:server-type :datomic-local :system "prod"}#x`, "", true},
		{`client:{:server-type :dev-local :system "prod" :endpoint "prod:1"}#x`, "", true},
		{`client:{:server-type :peer-server :endpoint "localhost:8998"}#x`, "", true},
		{`client:{:server-type :peer-server :endpoint "[::1]:8998"}#x`, "", true},
		{`client:{:server-type :peer-server :endpoint "LocalHost"}#x`, "", true},
		{`client:{:server-type :peer-server :endpoint "localhost.example:8998"}#x`, "localhost.example", false},
		{`client:{:server-type :peer-server :endpoint "Prod:8998"}#x`, "Prod", false},
		{`client:{:server-type :ion :system "s" :endpoint "https://entry.s.eu-west-1.datomic.net:8182/api"}#x`, "entry.s.eu-west-1.datomic.net", false},
		{`client:{:server-type :ion :endpoint "https://localhost:x@entry.s.datomic.net"}#x`, "entry.s.datomic.net", false},
		{`client:{:server-type :cloud :region "eu" :system "orders-prod"}#x`, "orders-prod", false},
		{`client:{:server-type :cloud :system "localhost"}#x`, "localhost", false},
		{`client:{:server-type :cloud}#x`, "cloud", false},
		{"datomic:dev://localhost:4334/x", "localhost", true},
		{"datomic:dev://127.0.0.1:4334/x?password=p", "127.0.0.1", true},
		{"datomic:dev://[::1]:4334/x", "::1", true},
		{"datomic:dev://[fe80::1]:4334/x", "fe80::1", false},
		{"datomic:dev://prod.example:4334/localhost", "prod.example", false},
		{"datomic:free://h/x", "h", false},
		{"datomic:cass://localhost:9042/k.t/x?user=u", "localhost", true},
		{"datomic:cass3://c1,localhost:9042/k.t/x", "c1,localhost", false},
		{"datomic:ddb://eu-west-1/orders/x?aws_access_key_id=a", "eu-west-1/orders", false},
		{"datomic:ddb-local://localhost:8000/orders/x", "localhost", true},
		{sql + "postgresql://h:5432/d?user=u&via=peer", "h", false},
		{sql + "postgresql://localhost,h:5432/d?via=peer", "localhost,h", false},
		{sql + "postgresql://localhost,127.0.0.1:5432/d?via=peer", "localhost,127.0.0.1", true},
		{sql + "postgresql:d?via=peer", "localhost", true},
		{sql + "mysql://u:p@h:3306/d", "h", false},
		{sql + "oracle:thin:u/localhost@h:1521:xe", "h", false},
		{sql + "oracle:thin:@//h:1521/svc", "h", false},
		{sql + "sqlserver://localhost:1433;databaseName=d;password=p", "localhost", true},
		{sql + "h2:./file;user=u", "./file", false},
		{"file:/b", "", true},
	} {
		a, err := Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if name, here := Host(a); name != c.name || here != c.here {
			t.Errorf("Host(%s) = %q, %v; want %q, %v", a, name, here, c.name, c.here)
		}
	}
}

// The spellings in a group are of one database, and no two groups are.
func TestIdentity(t *testing.T) {
	localEDN(t, `{:storage-dir "/s"}`)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("c.edn", []byte("{:region \"eu\"\n :server-type :cloud ; ours\n :secret \"hunter2\", :system \"s\"}"), 0o666); err != nil {
		t.Fatal(err)
	}
	groups := [][]string{
		{"client:c.edn#x", `client:{:server-type :cloud :region "eu" :system "s"}#x`, `client:{:system "s",:region "eu",:server-type :cloud, :secret "***"}#x`},
		{"client:c.edn#y"},
		{`client:{:server-type :cloud :region "us" :system "s"}#x`},
		{`client:{:server-type :datomic-local :storage-dir "/s/" :system "dev"}#x`, `client:{:system "dev" :server-type :dev-local}#x`, "datomic-local:dev/x"},
		{"datomic:dev://h:4334/x", "datomic:dev://h:4334/x?password=hunter2", "datomic:dev://h:4334/x?password=***"},
		{"datomic:dev://h:4334/y"},
		{"datomic:sql://x?jdbc:postgresql://h/d?user=u&password=hunter2&ssl=true", "datomic:sql://x?jdbc:postgresql://h/d?ssl=true&via=peer",
			"datomic:sql://x?jdbc:postgresql://h/d?via=peer&user=w&ssl=true&password=a"},
		{"datomic:sql://x?jdbc:sqlserver://h;databaseName=a;user=u;password=hunter2", "datomic:sql://x?jdbc:sqlserver://h;user=w;databaseName=a"},
		{"datomic:sql://x?jdbc:sqlserver://h;databaseName=b;user=u;password=hunter2"},
		{"file:/b"},
	}
	seen := map[string]int{}
	for i, group := range groups {
		for _, text := range group {
			a, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			id := Identity(a)
			if of, ok := seen[id]; ok && of != i {
				t.Errorf("%s is what %v are: %s", text, groups[of], id)
			} else if !ok && text != group[0] {
				t.Errorf("%s is not what %s is: %s", text, group[0], id)
			}
			seen[id] = i
			if strings.Contains(id, "hunter2") {
				t.Errorf("the identity of %s holds a secret: %s", a, id)
			}
		}
	}
}

func TestParseDest(t *testing.T) {
	for _, text := range []string{"datomic-local:/a/b/dev/x", `client:{:server-type :cloud, :system "s"}#x`, "datomic:dev://h:1/x",
		"datomic:sql://x?jdbc:postgresql://h/d?via=peer", "datomic:sql://x?jdbc:mysql://h/d"} {
		if a, err := ParseDest(text); err != nil || a.String() != text {
			t.Errorf("ParseDest(%q) = %v, %v", text, a, err)
		}
	}
	for _, c := range []struct{ text, try string }{
		{"datomic:sql://x?jdbc:postgresql://h/d", "datomic:sql://x?jdbc:postgresql://h/d?via=peer, "},
		{"datomic:sql://x?jdbc:postgresql://h/d?user=u&password=p", "datomic:sql://x?jdbc:postgresql://h/d?user=u&password=***&via=peer, "},
	} {
		_, err := ParseDest(c.text)
		bad, ok := err.(*Error)
		if !ok || !strings.Contains(err.Error(), "which is not written to directly") || !strings.HasPrefix(bad.Try, c.try) || !strings.Contains(bad.Try, "dclone restore") {
			t.Errorf("ParseDest(%q): %#v", c.text, err)
		}
	}
}
