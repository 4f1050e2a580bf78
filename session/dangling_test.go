package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/session"
)

// A number of the db partition is referred to, and an attribute gets it later. Datomic Local
// opens no clone that has an attribute outside that partition.
func TestRefToFutureAttribute(t *testing.T) {
	for _, copyAt := range []int{0, 1, 2} {
		s := newEdge(t)
		ref := s.h.Attribute("ref", typeRef, true)
		for i := range 3 {
			if i == copyAt {
				s.must(t, session.Options{})
			}
			switch i {
			case 0:
				s.h.Commit(historytest.Datom(user(100), ref, int64(ref)+1, assert))
			case 1:
				require.Equal(t, ref+1, s.h.Attribute("late", typeString, false))
			}
		}
		s.must(t, session.Options{})
		s.check(t)
		for _, a := range installs(t, s.dst) {
			require.Equal(t, dclone.PartDB, a.Partition(), "attribute %d, first copy at %d", a, copyAt)
		}
	}
}

// installs returns the attributes that a log installs.
func installs(t *testing.T, dir string) (attributes []dclone.EntityID) {
	l, err := local.OpenLog(dir)
	require.NoError(t, err)
	defer l.Close()
	scan := l.Scan(0, l.End())
	for scan.Frame() {
		for scan.Datom() {
			if scan.D.A == local.AttrInstallAttribute {
				id, _, ok := fressian.Int(scan.D.V)
				require.True(t, ok)
				attributes = append(attributes, dclone.EntityID(id))
			}
		}
	}
	require.NoError(t, scan.Err())
	require.NotEmpty(t, attributes)
	return attributes
}
