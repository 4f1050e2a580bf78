package dclone_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// imports is the structure of the program: what each package may import of ours. Formats know
// only the words; the loop and the snapshot declare the interfaces they need; cmd/dclone wires.
var imports = map[string][]string{
	"dclone":                 {},
	"dclone/fressian":        {"dclone"},
	"dclone/edn":             {"dclone"},
	"dclone/address":         {"dclone", "dclone/edn"},
	"dclone/schema":          {"dclone", "dclone/fressian"},
	"dclone/datomic/local":   {"dclone", "dclone/fressian", "dclone/edn"},
	"dclone/datomic/segment": {"dclone", "dclone/fressian"},
	"dclone/datomic/live":    {"dclone", "dclone/datomic/local", "dclone/fressian"},
	"dclone/eidmap":          {"dclone", "dclone/fressian"},
	"dclone/state":           {"dclone", "dclone/eidmap"},
	"dclone/source":          {"dclone", "dclone/datomic/local", "dclone/schema"},
	"dclone/source/local":    {"dclone", "dclone/schema", "dclone/source", "dclone/datomic/local"},
	"dclone/source/pro":      {"dclone", "dclone/schema", "dclone/source", "dclone/datomic/local", "dclone/datomic/segment", "dclone/fressian", "dclone/store"},
	"dclone/source/live":     {"dclone", "dclone/schema", "dclone/source", "dclone/datomic/live", "dclone/datomic/local", "dclone/fressian"},
	"dclone/fit":             {"dclone", "dclone/eidmap", "dclone/fressian", "dclone/schema"},
	"dclone/snapshot":        {"dclone", "dclone/eidmap", "dclone/fit", "dclone/fressian", "dclone/schema", "dclone/source"},
	"dclone/replay":          {"dclone", "dclone/eidmap", "dclone/fit", "dclone/fressian", "dclone/schema", "dclone/state"},
	"dclone/dest":            {"dclone"},
	"dclone/dest/local":      {"dclone", "dclone/datomic/local", "dclone/dest", "dclone/eidmap", "dclone/state"},
	"dclone/dest/live": {"dclone", "dclone/datomic/live", "dclone/datomic/local", "dclone/dest", "dclone/eidmap", "dclone/fit",
		"dclone/fressian", "dclone/replay", "dclone/schema", "dclone/source/live", "dclone/state"},
	"dclone/session": {"dclone", "dclone/datomic/local", "dclone/dest", "dclone/dest/live", "dclone/dest/local", "dclone/eidmap", "dclone/fit",
		"dclone/replay", "dclone/schema", "dclone/snapshot", "dclone/source", "dclone/state"},
	"dclone/verify": {"dclone", "dclone/datomic/live", "dclone/datomic/local", "dclone/edn", "dclone/eidmap", "dclone/fit", "dclone/fressian", "dclone/schema",
		"dclone/source", "dclone/state"},
	"dclone/store/kvs":  {"dclone", "dclone/edn", "dclone/store"},
	"dclone/store":      {"dclone", "dclone/datomic/segment"},
	"dclone/store/dir":  {"dclone/store"},
	"dclone/store/s3":   {"dclone/store"},
	"dclone/backup":     {"dclone", "dclone/datomic/local", "dclone/datomic/segment", "dclone/fressian", "dclone/store", "dclone/store/kvs"},
	"dclone/cmd/dclone": {"*"},

	// What follows helps the tests and the bench, and is in no binary.
	"dclone/bench": {"dclone", "dclone/datomic/local", "dclone/datomic/segment", "dclone/fressian", "dclone/source/pro",
		"dclone/store", "dclone/store/dir", "dclone/store/kvs", "dclone/store/pgtest"},
	"dclone/interop":                     {"dclone/filelock"},
	"dclone/datomic/segment/segmenttest": {"dclone", "dclone/fressian", "dclone/datomic/segment", "dclone/datomic/local"},
	"dclone/store/pgtest":                {},
	"dclone/store/s3test":                {"dclone/filelock"},
	"dclone/store/storetest":             {"dclone", "dclone/store"},
	"dclone/realdata":                    {},
	"dclone/filelock":                    {},
	"dclone/historytest":                 {"*"},
	"dclone/dest/desttest":               {"*"},
	"dclone/historytest/seeds":           {"*"},
}

// modules says where each module of others may enter.
var modules = map[string][]string{
	"go.etcd.io/bbolt":             {"dclone/state", "dclone/eidmap"},
	"github.com/google/uuid":       {"dclone/fressian", "dclone/datomic/segment", "dclone/datomic/segment/segmenttest", "dclone/edn", "dclone/state", "dclone/session", "dclone/cmd/dclone", "dclone/bench", "dclone/historytest", "dclone/source/pro", "dclone/dest/live"},
	"github.com/jackc/pgx":         {"dclone/store/kvs", "dclone/store/pgtest"},
	"github.com/aws/aws-sdk-go-v2": {"dclone/store/s3"},
	"github.com/aws/smithy-go":     {"dclone/store/s3"},
	"github.com/spf13/cobra":       {"dclone/cmd/dclone"},
	"github.com/spf13/pflag":       {"dclone/cmd/dclone"},
	"github.com/stretchr/testify":  {"dclone/historytest", "dclone/dest/desttest", "dclone/interop", "dclone/store/s3test", "dclone/store/storetest", "dclone/datomic/segment/segmenttest", "dclone/realdata"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		allowed, known := imports[p.ImportPath]
		require.True(t, known, "%s is not in the picture: add it to imports, with what it may import", p.ImportPath)
		for _, i := range p.Imports {
			if i == "dclone" || strings.HasPrefix(i, "dclone/") {
				require.True(t, slices.Contains(allowed, i) || slices.Contains(allowed, "*"), "%s imports %s", p.ImportPath, i)
			} else if strings.Contains(strings.Split(i, "/")[0], ".") {
				require.True(t, mayEnter(i, p.ImportPath), "%s imports %s", p.ImportPath, i)
			}
		}
	}
	require.Greater(t, seen, 10, "go list found no packages")
}

func mayEnter(path, importer string) bool {
	for module, importers := range modules {
		if path == module || strings.HasPrefix(path, module+"/") {
			return slices.Contains(importers, importer)
		}
	}
	return false
}
