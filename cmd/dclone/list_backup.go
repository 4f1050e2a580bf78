package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dclone"
	"dclone/address"
	"dclone/backup"
	"dclone/store"
)

// A backupListing is what list prints of a backup.
type backupListing struct {
	Address    string         `json:"address"`
	DatabaseID string         `json:"database_id"` // "" where neither a root nor the owner can be read
	Points     []restorePoint `json:"restore_points"`
}

type restorePoint struct {
	T       dclone.T   `json:"t"`
	Instant *time.Time `json:"instant"` // of the newest transaction, nil where it cannot be read
	Error   string     `json:"error"`
}

func (p *program) listBackup(ctx context.Context, a address.Backup) error {
	b, err := openBackup(ctx, a)
	if err != nil {
		return err
	}
	defer b.Close()
	points, damage := backup.Points(ctx, b)
	if len(points) == 0 && damage != nil {
		return dclone.InSource(damage)
	}
	if t, named := a.Point(); named {
		points = slices.DeleteFunc(points, func(p backup.Point) bool { return p.T != t })
		if len(points) == 0 {
			_, err := b.Root(ctx, t)
			return noBackup(a, err)
		}
		damage = points[0].Err
	}
	warnBackwards(p, points)
	l := backupListing{Address: a.String(), Points: []restorePoint{}}
	for _, point := range points {
		l.Points = append(l.Points, l.point(ctx, b, point))
	}
	if l.DatabaseID == "" {
		l.DatabaseID, _ = b.Owner(ctx) // what is wrong with it, the points tell
	}
	return p.listed(&l, dclone.InSource(damage))
}

// warnBackwards tells of a restore point that is newer by t and older by the clock: the database's history
// went back, and what is newest here is what it was before.
func warnBackwards(p *program, points []backup.Point) {
	for i, older := range points[min(1, len(points)):] {
		if newer := points[i]; newer.Err == nil && older.Err == nil && newer.Instant < older.Instant {
			p.note("dclone: restore point t %d is older than t %d, by its instant: the database's history went back between the two; without ?t= the greatest t is taken",
				newer.T, older.T)
			return
		}
	}
}

// point describes a restore point.
func (l *backupListing) point(ctx context.Context, b *store.Backup, point backup.Point) restorePoint {
	p := restorePoint{T: point.T}
	if point.Err != nil {
		p.Error = oneLine(point.Err.Error())
	} else {
		instant := point.Instant.Time()
		p.Instant = &instant
	}
	if l.DatabaseID == "" {
		if root, err := b.Root(ctx, point.T); err == nil {
			l.DatabaseID = root.DatabaseID
		}
	}
	return p
}

// rows are the listing for people.
func (l *backupListing) rows() []string {
	if len(l.Points) == 0 {
		return []string{"no restore points at " + l.Address}
	}
	rows := []string{"T\tINSTANT\tDATABASE ID"}
	for _, p := range l.Points {
		rows = append(rows, fmt.Sprintf("%d\t%s\t%s", p.T, dateText(p.Instant), l.DatabaseID))
	}
	return rows
}
