package pro

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"dclone"
	"dclone/datomic/segment"
)

// A logPart is a stretch of the log that is parsed at a time: a leaf, or a piece of the tail.
type logPart struct {
	from   dclone.T // of its first transaction; that of a dir's first entry may be less
	before dclone.T // all of its transactions have a lesser t
	leaf   segment.ID
	piece  []byte // of the tail, where there is no leaf
}

// A logReader reads the log that some roots name.
type logReader struct {
	*roots
	nodes *nodes
}

// parts yields the stretches that can have transactions from one t to another.
func (l logReader) parts(ctx context.Context, from, to dclone.T) iter.Seq2[logPart, error] {
	return func(yield func(logPart, error) bool) {
		if len(l.tail) == 0 || from < l.tail[0].from {
			for part, err := range l.leaves(ctx, from, to) {
				if !yield(part, err) || err != nil {
					return
				}
			}
		}
		for i, piece := range l.tail {
			if piece.from > to || i+1 < len(l.tail) && l.tail[i+1].from <= from {
				continue
			}
			if !yield(piece, nil) {
				return
			}
		}
	}
}

// leaves yields those of the tree.
func (l logReader) leaves(ctx context.Context, from, to dclone.T) iter.Seq2[logPart, error] {
	return func(yield func(logPart, error) bool) {
		top, err := l.entries(ctx, l.Log, 0, maxT)
		if err != nil {
			yield(logPart{}, err)
			return
		}
		for dir := range within(top, from, to, maxT) {
			entries, err := l.entries(ctx, dir.leaf, dir.from, dir.before)
			if err == nil && len(entries) == 0 && len(top) > 1 {
				err = l.nodes.damage(dir.leaf, fmt.Errorf("a log dir without entries"))
			}
			if err != nil {
				yield(logPart{}, err)
				return
			}
			for leaf := range within(entries, from, to, dir.before) {
				if !yield(leaf, nil) {
					return
				}
			}
		}
	}
}

// maxT is greater than any t.
const maxT dclone.T = dclone.MaxEidx + 1

// entries reads the root of the log, or a dir, and checks that its ts ascend and are in range.
func (l logReader) entries(ctx context.Context, id segment.ID, from, before dclone.T) ([]segment.LogEntry, error) {
	entries, err := node(ctx, l.nodes, id, segment.ParseLogDir)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if e.T < from || e.T >= before || i > 0 && e.T <= entries[i-1].T {
			return nil, l.nodes.damage(id, fmt.Errorf("entry %d of the log has t %d, not of %d to %d and ascending", i, e.T, from, before))
		}
	}
	return entries, nil
}

// within yields those entries below which there can be a t of from to to.
func within(entries []segment.LogEntry, from, to, before dclone.T) iter.Seq[logPart] {
	return func(yield func(logPart) bool) {
		for i, e := range entries {
			part := logPart{from: e.T, before: before, leaf: e.ID}
			if i+1 < len(entries) {
				part.before = entries[i+1].T
			}
			if part.before > from && part.from <= to && !yield(part) {
				return
			}
		}
	}
}

// A txBatch is the transactions of a part, with memory of their own.
type txBatch struct {
	txs    []dclone.Tx
	datoms []dclone.Datom
	arena  []byte
	raw    []byte
	reader *segment.TxReader
}

var txBatches = sync.Pool{New: func() any { return new(txBatch) }}

const datomSize = 64 // bytes in memory, without value

func (b *txBatch) size() int { return cap(b.datoms)*datomSize + cap(b.arena) + cap(b.raw) }

// free gives the memory back. Large batches are left to the collector.
func (b *txBatch) free() {
	if b.size() < bytesAhead/4 {
		txBatches.Put(b)
	}
}

// parse reads a part of the log.
func (l logReader) parse(ctx context.Context, part logPart) (*txBatch, error) {
	b := txBatches.Get().(*txBatch)
	b.txs, b.datoms, b.arena, b.raw = b.txs[:0], b.datoms[:0], b.arena[:0], b.raw[:0]
	var err error
	if part.leaf != "" {
		if b.raw, err = l.nodes.unpacked(ctx, b.raw, part.leaf); err != nil {
			return nil, err
		}
	} else {
		b.raw = appendTail(b.raw, part.piece)
	}
	if err := b.read(part); err != nil {
		return nil, l.inPart(part, err)
	}
	return b, nil
}

// inPart says of an error in which part of the log it was met.
func (l logReader) inPart(part logPart, err error) error {
	if part.leaf == "" {
		return fmt.Errorf("read log tail of %s: %w", l.nodes.db, err)
	}
	return l.nodes.at(part.leaf, err)
}

// read parses what raw holds. The values are copied, because the reader's memory moves on.
func (b *txBatch) read(part logPart) error {
	if b.reader == nil {
		b.reader = segment.NewTxReader(nil, true)
	}
	r := b.reader
	r.Reset(b.raw, part.leaf == "")
	last := part.from - 1
	for r.Next() {
		tx := *r.Tx()
		if tx.T <= last || tx.T >= part.before {
			return &segment.DamageError{Kind: "log", Err: fmt.Errorf("t %d after t %d, before t %d", tx.T, last, part.before)}
		}
		last = tx.T
		at := len(b.datoms)
		for _, d := range tx.Datoms {
			d.V = b.copy(d.V)
			b.datoms = append(b.datoms, d)
		}
		tx.Datoms = b.datoms[at:len(b.datoms):len(b.datoms)]
		b.txs = append(b.txs, tx)
	}
	if err := r.Err(); err != nil {
		return err
	}
	if len(b.txs) == 0 {
		return &segment.DamageError{Kind: "log", Err: fmt.Errorf("no transaction where that of t %d belongs", part.from)}
	}
	return nil
}

func (b *txBatch) copy(v dclone.Value) dclone.Value {
	if cap(b.arena)-len(b.arena) < len(v) {
		b.arena = make([]byte, 0, max(2*cap(b.arena), len(v), 1<<16))
	}
	at := len(b.arena)
	b.arena = append(b.arena, v...)
	return b.arena[at:len(b.arena):len(b.arena)]
}
