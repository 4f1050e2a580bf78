package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/store"
)

// WriteBackup writes into a backup of the database that is empty, and returns what it then has. The
// segments have no sense; stores do not look into them.
func WriteBackup(t testing.TB, b *store.Backup, databaseID string) Content {
	t.Helper()
	require.NoError(t, b.Claim(t.Context(), databaseID))
	has := Content{Segments: map[string][]byte{}}
	for i := range 20 {
		id := fmt.Sprintf("%08x-0000-4000-8000-00000000000a", i)
		if i%2 == 1 { // its last two characters are those of uuids but for the case
			id += "_00000000000000A"
		}
		has.Segments[id] = fmt.Append(nil, "segment ", i)
		there, err := b.HasSegment(t.Context(), id)
		require.NoError(t, err)
		require.False(t, there)
		require.NoError(t, b.PutSegment(t.Context(), id, has.Segments[id]))
		there, err = b.HasSegment(t.Context(), id)
		require.NoError(t, err)
		require.True(t, there)
		if i%5 != 4 {
			continue
		}
		r := store.Root{DatabaseID: databaseID, T: []dclone.T{0, 99, 1000, 1 << 40}[i/5],
			Index: fmt.Sprintf("%08x-0000-4000-8000-00000000000a", i-i%2), Log: "00000000-0000-4000-8000-00000000000a",
			Tail: fmt.Append(nil, "tail ", i), Version: 3, IndexVersion: 2, LogVersion: 3}
		require.NoError(t, b.PutRoot(t.Context(), r))
		has.Roots = append([]store.Root{r}, has.Roots...)
	}
	return has
}

// TestClaims is about whose a backup is. Each call of open returns other files, which are empty.
func TestClaims(t *testing.T, open func(t testing.TB) store.Files) {
	const ours, other = "ours-6b013485-b28c-47fa-9013-35e7e260bff9", "other-6b013485-b28c-47fa-9013-35e7e260bff8"
	root := func(id string) store.Root {
		return store.Root{DatabaseID: id, T: 7, Index: id[len(id)-36:], Log: id[len(id)-36:], Tail: []byte{0xee}, IndexVersion: 2, LogVersion: 3}
	}
	for _, c := range []struct {
		name, owner string // as it is there, "-" for none
		root        string // the database of the root that is there
		usedBy      string // the database that the claim fails with
	}{
		{"empty", "-", "", ""}, {"ours", ours, "", ""}, {"ours with a root", ours, ours, ""}, {"edited", ours + "\n", "", ""},
		{"other", other, "", other}, {"other with a root", other, other, other}, {"longer", ours + "0", "", ours + "0"},
		{"torn", ours[:7], "", ""}, {"torn to nothing", "", "", ""}, {"torn with a root", ours[:7], ours, ""},
		{"torn with another's root", "", other, other}, {"torn other", other[:7], "", other[:7]},
		{"lost", "-", ours, ""}, {"lost with another's root", "-", other, other},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := open(t)
			b := store.NewBackup(files)
			if c.owner != "-" {
				require.NoError(t, files.Put(t.Context(), "owner", []byte(c.owner)))
			}
			if c.root != "" {
				require.NoError(t, b.PutRoot(t.Context(), root(c.root)))
			}
			err := b.Claim(t.Context(), ours)
			if c.usedBy == "" {
				require.NoError(t, err)
				require.NoError(t, b.Claim(t.Context(), ours))
				got, err := files.Get(t.Context(), "owner")
				require.NoError(t, err)
				require.Equal(t, ours, strings.TrimSpace(string(got)))
				return
			}
			var claim *store.ClaimError
			require.ErrorAs(t, err, &claim)
			require.Equal(t, c.usedBy, claim.Owner)
			require.ErrorContains(t, err, ":backup/claim-failed Backup storage already used by "+c.usedBy)
			require.ErrorContains(t, err, files.String())
		})
	}
}
