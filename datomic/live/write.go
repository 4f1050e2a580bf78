package live

import (
	"context"
	"errors"
	"fmt"

	"dclone"
	"dclone/fressian"
)

// A Report is what a transaction came to.
type Report struct {
	Before, After dclone.T // basis-t of the database before and after
	Instant       dclone.Instant
	Tempids       map[string]dclone.EntityID
	Datoms        []dclone.Datom // as the report has them, which is not always as the log will have them
}

// Transact transacts tx-data, a fressian list of forms [:db/add e a v] and the like; e and v may be a long, a keyword or
// the string of a tempid. The error wraps ErrBusy where the database did not accept it for now, is a *Refused where it
// said no, and wraps ErrUnknownOutcome where nobody knows; any other error is of a transaction that was
// never sent.
func (d *DB) Transact(ctx context.Context, txData []byte) (Report, error) {
	r, err := d.transact(ctx, "transact", txData)
	var unsent *unsentError
	switch {
	case err == nil:
		return r, nil
	case errors.As(err, &unsent):
		return Report{}, fmt.Errorf("transact to %s: %w", d.name, unsent.err)
	}
	return Report{}, fmt.Errorf("transact to %s: %w", d.name, outcome(err))
}

// With is a trial of some transactions, one upon the other: nothing is written. The report is that of the last; the error
// is a *Refused where Transact's would be.
func (d *DB) With(ctx context.Context, txData ...[]byte) (Report, error) {
	r, err := d.transact(ctx, "with", txData...)
	if err == nil {
		return r, nil
	}
	var refused *Refused
	if errors.As(outcome(err), &refused) {
		err = refused
	}
	return Report{}, fmt.Errorf("try transaction on %s: %w", d.name, err)
}

// Index has Datomic write an index of what was transacted so far, and waits a while for it. Through the client API that
// cannot be asked for, and nothing is done.
func (d *DB) Index(ctx context.Context) error {
	if _, err := d.child.ask(ctx, "index", d.handle); err != nil {
		return fmt.Errorf("index %s: %w", d.name, err)
	}
	return nil
}

func (d *DB) transact(ctx context.Context, op string, txData ...[]byte) (Report, error) {
	args := []any{d.handle}
	for _, forms := range txData {
		args = append(args, fressian.Raw(forms))
	}
	b, err := d.child.ask(ctx, op, args...)
	if err != nil {
		return Report{}, err
	}
	return readReport(b)
}

// readReport reads the answer to a transaction, whose memory it keeps.
func readReport(b []byte) (r Report, err error) {
	w := fressian.NewWalker(b)
	fields := w.Items()
	if fields.Left() != 4 {
		return r, fmt.Errorf("read report: a list of %d", fields.Left())
	}
	w.More(&fields)
	r.Before = dclone.T(w.Int())
	w.More(&fields)
	r.After = dclone.T(w.Int())
	w.More(&fields)
	tempids, _ := w.Value(nil)
	w.More(&fields)
	var spare []byte
	for items := w.Items(); w.More(&items); {
		var one dclone.Datom
		one, spare = walkDatom(w, &items, spare)
		r.Datoms = append(r.Datoms, one)
	}
	if w.Err() == nil {
		r.Tempids, err = readTempids(tempids)
	}
	if err = errors.Join(w.Err(), err); err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	r.Instant = instantOf(&dclone.Tx{Datoms: r.Datoms})
	return r, nil
}

func readTempids(b []byte) (map[string]dclone.EntityID, error) {
	v, _, err := fressian.Decode(b)
	if err != nil {
		return nil, err
	}
	m, _ := v.(fressian.Map)
	ids := map[string]dclone.EntityID{}
	for _, e := range m {
		tempid, isText := e.Key.(string)
		id, isInt := e.Value.(int64)
		if !isText || !isInt {
			return nil, fmt.Errorf("tempid %T is %T", e.Key, e.Value)
		}
		ids[tempid] = dclone.EntityID(id)
	}
	return ids, nil
}
