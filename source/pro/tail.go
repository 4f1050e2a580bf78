package pro

import (
	"errors"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
)

const (
	pieceSize = 64 << 10
	openList  = 0xEE // begins a tail: a list up to the end of the bytes
	closeList = 0xFD
	reset     = 0xFE // begins each transaction: its caches are its own
)

// splitTail cuts a log tail into pieces that can be read by themselves, and returns the last
// transaction, nil where there is none.
func splitTail(tail []byte) (pieces []logPart, last *dclone.Tx, err error) {
	if len(tail) == 0 || tail[0] != openList {
		return wholeTail(tail)
	}
	newest := 0
	var cuts []int
	for at := 1; at < len(tail) && tail[at] != closeList; {
		n, err := fressian.Skip(tail[at:])
		if err != nil {
			return nil, nil, &segment.DamageError{Kind: "log tail", Offset: at, Err: err}
		}
		if tail[at] != reset {
			return wholeTail(tail)
		}
		if len(cuts) == 0 || at-cuts[len(cuts)-1] >= pieceSize {
			cuts = append(cuts, at)
		}
		newest = at
		at += n
	}
	if len(cuts) == 0 {
		return wholeTail(tail)
	}
	cuts = append(cuts, len(tail))
	for i, at := range cuts[:len(cuts)-1] {
		first, err := firstTx(tail[at:cuts[i+1]])
		if err != nil {
			return nil, nil, err
		}
		pieces = append(pieces, logPart{from: first.T, before: maxT, piece: tail[at:cuts[i+1]]})
		if i > 0 {
			pieces[i-1].before = first.T
		}
	}
	last, err = firstTx(tail[newest:])
	return pieces, last, err
}

// appendTail appends a piece of a tail as a tail of its own.
func appendTail(dst, piece []byte) []byte {
	if piece[0] == reset {
		dst = append(dst, openList)
	}
	return append(dst, piece...)
}

// firstTx reads the first of some transactions.
func firstTx(txs []byte) (*dclone.Tx, error) {
	n, err := fressian.Skip(txs)
	if err != nil {
		return nil, &segment.DamageError{Kind: "log tail", Err: err}
	}
	r := segment.NewTxReader(appendTail(nil, txs[:n]), true)
	switch {
	case r.Next():
		return r.Tx(), nil
	case r.Err() != nil:
		return nil, r.Err()
	}
	return nil, &segment.DamageError{Kind: "log tail", Err: errors.New("something else where a transaction belongs")}
}

// wholeTail is splitTail for a tail that cannot be cut: its transactions share caches.
func wholeTail(tail []byte) (pieces []logPart, last *dclone.Tx, err error) {
	r := segment.NewTxReader(tail, true)
	for r.Next() {
		tx := *r.Tx()
		if last = &tx; pieces == nil {
			pieces = []logPart{{from: tx.T, before: maxT, piece: tail}}
		}
	}
	return pieces, last, r.Err()
}
