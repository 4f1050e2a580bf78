package kvs

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"dclone/store"
)

// maxPieces bounds the pieces of a pod. Datomic indexes, and begins a new pod, long before that.
const maxPieces = 1 << 20

// A podQuery asks for named rows and the pieces of a pod.
type podQuery struct {
	names []string
	pod   string // one of names
	known string // pieces from here on to the older ones are not wanted; "" where all are
	max   int64  // bytes of all pieces
}

// A piece is a row of a pod.
type piece struct {
	n    int64 // 1 for the newest
	id   string
	prev string
	val  []byte
}

// selectPod reads named rows and follows a pod from its :tail. Each step looks one row up by its id,
// whatever the planner thinks of the table; that is what the offsets are for. The regular expressions
// let nothing pass but the ids of pieces; what the maps really say is parsed later.
const selectPod = `
with recursive chain (n, id) as (
	select 1::bigint, substring(map from ':tail\s*"(` + segmentShape + `)"') from datomic_kvs where id = $2
	union all
	select chain.n + 1, older.prev
	from chain, lateral (
		select substring(map from ':prev\s*"(` + segmentShape + `)"') as prev from datomic_kvs where id = chain.id offset 0) older
	where older.prev is not null and chain.n < $5 and chain.id <> $3
)
select 0::bigint, id, case when octet_length(map) > $6 then '' else map end, null::bytea, 0::bigint
from datomic_kvs where id = any($1)
union all
select chain.n, chain.id, case when octet_length(piece.map) > $6 then '' else piece.map end,
	case when octet_length(piece.val) <= $4 then piece.val end, coalesce(octet_length(piece.val), -1)::bigint
from chain left join lateral (select map, val from datomic_kvs where id = chain.id offset 0) piece on true
where chain.id is not null and chain.id <> $3`

// readPod answers the maps of the named rows that are there, and the pieces from the newest to the
// oldest or to the one before the known one.
func readPod(ctx context.Context, q querier, ask podQuery) (map[string]rowMap, []piece, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := q.Query(ctx, selectPod, ask.names, ask.pod, ask.known, ask.max, int64(maxPieces), int64(maxMap))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	defer cancel() // before Close, which would read what is left
	named, pieces, seen, size := map[string]rowMap{}, []piece(nil), map[string]bool{}, int64(0)
	for rows.Next() {
		p, m, err := scanPiece(rows)
		if err != nil {
			return nil, nil, err
		}
		if p.n == 0 {
			named[p.id] = m
			continue
		}
		if size += int64(len(p.val)); size > ask.max || p.n >= maxPieces {
			return nil, nil, fmt.Errorf("%w: its pieces are more than %d, or have more than %d bytes", damaged(ask.pod), maxPieces, ask.max)
		}
		if seen[p.id] {
			return nil, nil, fmt.Errorf("%w: it is its own older piece", damaged(p.id))
		}
		seen[p.id] = true
		pieces = append(pieces, p)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.n, b.n) })
	return named, pieces, checkChain(ask, named[ask.pod], pieces)
}

func scanPiece(rows pgx.Rows) (p piece, m rowMap, err error) {
	var text *string
	var size int64
	if err := rows.Scan(&p.n, &p.id, &text, &p.val, &size); err != nil {
		return p, nil, err
	}
	if p.n > 0 && text == nil && size < 0 {
		return p, nil, fmt.Errorf("piece %s: %w", p.id, store.ErrMissing)
	}
	if text != nil && *text == "" {
		return p, nil, fmt.Errorf("%w: its map is empty or absurd", damaged(p.id))
	}
	if m, err = parseMap(p.id, text); err != nil || p.n == 0 {
		return p, m, err
	}
	if p.val == nil {
		return p, nil, noVal(p.id, size)
	}
	p.prev, err = m.segment(p.id, "", "prev")
	return p, m, err
}

// checkChain holds what PostgreSQL followed against what the maps say.
func checkChain(ask podQuery, pod rowMap, pieces []piece) error {
	next, err := pod.segment(ask.pod, "", "tail")
	if err != nil {
		return err
	}
	from := ask.pod
	for _, p := range pieces {
		if p.id != next {
			return fmt.Errorf("%w: it does not lead to %s", damaged(from), p.id)
		}
		from, next = p.id, p.prev
	}
	if next != ask.known && next != "" {
		return fmt.Errorf("%w: it does not lead to %s", damaged(from), next)
	}
	return nil
}

// join appends the pieces' bytes, from the oldest to the newest.
func join(older []byte, pieces []piece) ([]byte, error) {
	size := len(older)
	for _, p := range pieces {
		size += len(p.val)
	}
	if size > maxVal {
		return nil, fmt.Errorf("the pieces have %d bytes", size)
	}
	all := slices.Grow(older, size-len(older))
	for _, p := range slices.Backward(pieces) {
		all = append(all, p.val...)
	}
	return all, nil
}
