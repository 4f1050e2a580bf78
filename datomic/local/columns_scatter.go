package local

import (
	"context"
	"errors"
	"slices"
)

const (
	// scatterRecords and scatterBuffer bound what one goroutine collects before it writes: so
	// many records of a column, and so many of all columns.
	scatterRecords = 512
	scatterBuffer  = 2 << 20 / int(recordSize)
)

var errChanged = errors.New("the log changed while it was read")

// scatter reads the log again and puts every record at its place. The places of two pieces
// never overlap, so the pieces may be read in any order and at once.
func (c *Columns) scatter(ctx context.Context, tallies []*tally) error {
	var slots byAttribute[int32]
	for i, col := range c.columns {
		*slots.at(col.a) = int32(i) + 1
	}
	return parallel(ctx, c.opt.Jobs, len(tallies), func(i int) error {
		w := c.scatterer(tallies, i)
		if err := w.read(ctx, c.log.Scan(tallies[i].From, tallies[i].To), &slots); err != nil {
			return err
		}
		return w.flush()
	})
}

// scatterer sends records to their places, those of one piece of the log to their columns.
type scatterer struct {
	area  *area
	per   int      // records a column's buffer holds
	buf   []Record // a buffer for each column
	fill  []int32  // records in each
	place []int64  // where each buffer's next record goes
	limit []int64  // where the next piece's records begin
}

func (c *Columns) scatterer(tallies []*tally, i int) *scatterer {
	w := &scatterer{area: c.area, per: min(scatterRecords, max(1, scatterBuffer/len(c.columns)))}
	w.buf = make([]Record, w.per*len(c.columns))
	w.fill = make([]int32, len(c.columns))
	w.place = slices.Clone(tallies[i].places)
	if i+1 < len(tallies) {
		w.limit = tallies[i+1].places
		return w
	}
	for _, col := range c.columns {
		w.limit = append(w.limit, col.start+col.count)
	}
	return w
}

func (w *scatterer) read(ctx context.Context, s *Scanner, slots *byAttribute[int32]) error {
	for s.Frame() {
		if err := ctx.Err(); err != nil {
			return err
		}
		for s.Datom() {
			slot := int(slots.get(s.D.A)) - 1
			if slot < 0 {
				return errChanged
			}
			if err := w.add(slot, Record{s.D.E, s.pointer()}); err != nil {
				return err
			}
		}
	}
	return s.Err()
}

func (w *scatterer) add(slot int, r Record) error {
	w.buf[slot*w.per+int(w.fill[slot])] = r
	if w.fill[slot]++; int(w.fill[slot]) == w.per {
		return w.write(slot)
	}
	return nil
}

func (w *scatterer) write(slot int) error {
	n := int(w.fill[slot])
	if w.place[slot]+int64(n) > w.limit[slot] {
		return errChanged
	}
	err := w.area.write(w.place[slot], w.buf[slot*w.per:slot*w.per+n])
	w.place[slot] += int64(n)
	w.fill[slot] = 0
	return err
}

// flush writes what is left, and makes sure that no place stays empty.
func (w *scatterer) flush() error {
	for slot := range w.fill {
		if err := w.write(slot); err != nil {
			return err
		}
		if w.place[slot] != w.limit[slot] {
			return errChanged
		}
	}
	return nil
}

// pointer returns the Pointer of the datom read last.
func (s *Scanner) pointer() Pointer {
	b := s.buf[s.pos-s.Len:]
	return Pointer(s.Offset)<<16 | Pointer(b[0])<<8 | Pointer(b[1])
}
