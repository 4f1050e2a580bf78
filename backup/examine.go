package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"dclone/datomic/segment"
)

// examine is open for who wants to know whether a node fits the nodes above it: besides what it is, it
// looks at the order of what is in it. The children know in turn what is said of them. Where there is
// an error there may be children too.
func (n node) examine(stored []byte) ([]node, error) {
	children, raw, err := n.open(stored, nil, segment.Check)
	if err != nil {
		return nil, err
	}
	switch n.at {
	case treeRoot:
		return n.examineTree(raw)
	case treeDir:
		return n.examineDir(raw)
	case treeLeaf:
		return nil, n.examineLeaf(raw)
	case logRoot, logDir:
		return n.examineLog(raw)
	case logLeaf:
		return nil, checkTxs(raw, false, n)
	}
	return children, nil
}

func (n node) examineTree(raw []byte) (children []node, err error) {
	entries, err := segment.ParseRootNode(raw)
	for i, e := range entries {
		child := node{id: e.ID, at: treeDir, index: n.index, low: &entries[i].Key}
		if i+1 < len(entries) {
			child.next = &entries[i+1].Key
		}
		children = append(children, child)
	}
	return children, err
}

// examineDir brings the spans of each leaf together.
func (n node) examineDir(raw []byte) (children []node, err error) {
	spans, err := segment.ParseDirNode(raw)
	at := map[segment.ID]int{}
	for i, s := range spans {
		bounds := span{Span: s, low: &spans[i].Key, next: n.next}
		if i+1 < len(spans) {
			bounds.next = &spans[i+1].Key
		}
		c, known := at[s.ID]
		if !known {
			c = len(children)
			at[s.ID] = c
			children = append(children, node{id: s.ID, at: treeLeaf, index: n.index})
		}
		if i == 0 {
			children[c].low = n.low
		}
		children[c].spans = append(children[c].spans, bounds)
	}
	return children, err
}

var errOrder = errors.New("it is not in the order of its index")

func (n node) examineLeaf(raw []byte) error {
	l, err := segment.ParseLeaf(raw)
	if err != nil {
		return err
	}
	for i := 1; i < l.Len(); i++ {
		if compareDatoms(n.index, l.Datom(i-1), l.Datom(i)) > 0 {
			return fmt.Errorf("%w %s: datom %d is below the one before it", errOrder, n.index, i)
		}
	}
	for i, s := range n.spans {
		if err := s.check(n.index, l); err != nil {
			return err
		}
		if i == 0 && n.low != nil && s.Count > 0 && compareKey(n.index, n.low, l.Datom(s.Offset)) > 0 {
			return fmt.Errorf("%w %s: it is below the key of its dir", errOrder, n.index)
		}
	}
	return nil
}

// check looks whether a leaf has a span, and whether it lies where the dir says.
func (s span) check(x segment.Index, l *segment.Leaf) error {
	switch {
	case s.Offset < 0 || s.Count < 0 || s.Offset > l.Len() || s.Count > l.Len()-s.Offset:
		return fmt.Errorf("it has %d datoms, and should have %d from %d on", l.Len(), s.Count, s.Offset)
	case s.Count == 0:
	case compareKey(x, s.low, l.Datom(s.Offset)) > 0:
		return fmt.Errorf("%w %s: datom %d is below its key", errOrder, x, s.Offset)
	case s.next != nil && compareKey(x, s.next, l.Datom(s.Offset+s.Count-1)) < 0:
		return fmt.Errorf("%w %s: datom %d is above the next key", errOrder, x, s.Offset+s.Count-1)
	}
	return nil
}

// examineLog reads a root or dir of the log.
func (n node) examineLog(raw []byte) (children []node, err error) {
	entries, err := segment.ParseLogDir(raw)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		child := node{id: e.ID, at: below[n.at], lowT: e.T, nextT: n.nextT}
		if i+1 < len(entries) {
			child.nextT = entries[i+1].T
		}
		if e.T < n.lowT || child.nextT > 0 && child.nextT <= e.T {
			err = fmt.Errorf("entry %d begins with t %d, and does not fit those around it", i, e.T)
		}
		children = append(children, child)
	}
	return children, err
}

// checkTxs reads a log leaf, or tail, and looks at its ts.
func checkTxs(raw []byte, tail bool, n node) error {
	r := segment.NewTxReader(raw, tail)
	last := n.lowT - 1
	for r.Next() {
		t := r.Tx().T
		if t <= last || n.nextT > 0 && t >= n.nextT {
			return fmt.Errorf("t %d does not belong where it is", t)
		}
		last = t
	}
	return r.Err()
}

// An idKey tells ids apart in 16 bytes: it is the uuid, or a digest of what is more than one.
type idKey [16]byte

func keyOf(id segment.ID) (k idKey) {
	digits := strings.ReplaceAll(id, "-", "")
	if len(id) == 36 && len(digits) == 32 {
		if _, err := hex.Decode(k[:], []byte(digits)); err == nil {
			return k
		}
	}
	sum := sha256.Sum256([]byte(id))
	return idKey(sum[:16])
}
