package store

import (
	"strings"
	"testing"
)

// FuzzKeys holds checkID and CheckKey against what they promise.
func FuzzKeys(f *testing.F) {
	for _, s := range []string{"", "owner", "6b013485-b28c-47fa-9013-35e7e260bff9", "6b013485-b28c-47fa-9013-35e7e260bff9_00000000000000A",
		"../x", "values/0A/x", "a\\b", "C:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if checkID(s) == nil {
			if strings.Trim(s, "0123456789abcdefABCDEF-_") != "" || len(s) < 2 {
				t.Fatalf("%q passes for an id", s)
			}
			for _, key := range segmentKeys(s) {
				if err := CheckKey(key); err != nil {
					t.Fatal(err)
				}
			}
			if folded := strings.ToUpper(s); folded != s && checkID(folded) == nil {
				t.Fatalf("%q and %q are both ids", s, folded)
			}
		}
		if CheckKey(s) == nil && (s == "" || s[0] == '/' || strings.Contains("/"+s+"/", "/../")) {
			t.Fatalf("%q passes for a key", s)
		}
	})
}
