package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A ClaimError says that a backup belongs to another database.
type ClaimError struct {
	Address string
	Owner   string // the id of that database
}

func (e *ClaimError) Error() string {
	return fmt.Sprintf("claim backup %s: :backup/claim-failed Backup storage already used by %s", e.Address, e.Owner)
}

// Claim makes the backup that of a database, or sees that it is. It comes before all writing, and
// locks the files. The error is a *ClaimError where the backup is that of another database.
func (b *Backup) Claim(ctx context.Context, databaseID string) error {
	if databaseID == "" || strings.TrimSpace(databaseID) != databaseID {
		return fmt.Errorf("claim backup %s for %q: it is not the id of a database", b, databaseID)
	}
	if err := b.files.Lock(ctx); err != nil {
		return err
	}
	owner, err := b.owner(ctx)
	switch {
	case errors.Is(err, ErrMissing):
		if err := b.checkRoots(ctx, databaseID); err != nil {
			return err
		}
		// What counts is what is there afterwards: Create may have lost, even against itself, where
		// the answer to its first attempt was lost.
		if _, err := b.files.Create(ctx, ownerKey, []byte(databaseID)); err != nil {
			return fmt.Errorf("claim backup: %w", err)
		}
		if owner, err = b.owner(ctx); err != nil {
			return fmt.Errorf("claim backup: %w", err)
		}
	case err != nil:
		return fmt.Errorf("claim backup: %w", err)
	}
	if owner == databaseID {
		return nil
	}
	if !strings.HasPrefix(databaseID, owner) {
		return &ClaimError{Address: b.String(), Owner: owner}
	}
	return b.mendOwner(ctx, databaseID)
}

// Owner returns the id of the database that the backup belongs to, "" where nothing says it.
func (b *Backup) Owner(ctx context.Context) (string, error) {
	owner, err := b.owner(ctx)
	if errors.Is(err, ErrMissing) {
		return "", nil
	}
	return owner, err
}

// owner returns the id of the database that the backup belongs to, as far as it was written.
func (b *Backup) owner(ctx context.Context) (string, error) {
	data, err := b.files.Get(ctx, ownerKey)
	return strings.TrimSpace(string(data)), err
}

// mendOwner writes an owner anew that is only the beginning of this database's id: what another
// program, killed at it, leaves behind. Roots tell whether the database is this one; where there
// are none, nobody loses anything.
func (b *Backup) mendOwner(ctx context.Context, databaseID string) error {
	if err := b.checkRoots(ctx, databaseID); err != nil {
		return err
	}
	if err := b.files.Put(ctx, ownerKey, []byte(databaseID)); err != nil {
		return fmt.Errorf("claim backup: %w", err)
	}
	return nil
}

// checkRoots sees whether the roots, where there are any, are of the database.
func (b *Backup) checkRoots(ctx context.Context, databaseID string) error {
	r, err := b.Root(ctx, Newest)
	if errors.Is(err, ErrNoRoot) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("claim backup: %w", err)
	}
	if r.DatabaseID != databaseID {
		return &ClaimError{Address: b.String(), Owner: r.DatabaseID}
	}
	return nil
}

// HasSegment reports whether the backup has a segment where Datomic looks for it.
func (b *Backup) HasSegment(ctx context.Context, id string) (bool, error) {
	if err := checkID(id); err != nil {
		return false, err
	}
	has, err := b.files.Has(ctx, segmentKey(id))
	if err != nil {
		return false, fmt.Errorf("look for segment %s: %w", id, err)
	}
	return has, nil
}

// PutSegment writes a segment, as it is stored. It is durable on return.
func (b *Backup) PutSegment(ctx context.Context, id string, stored []byte) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := b.files.Put(ctx, segmentKey(id), stored); err != nil {
		return fmt.Errorf("write segment %s: %w", id, err)
	}
	return nil
}

// PutRoot makes r.T a restore point. All segments below r must be there. What is written is a root of
// version 3, whatever r.Version says.
func (b *Backup) PutRoot(ctx context.Context, r Root) error {
	err := errors.Join(checkID(r.Index), checkID(r.Log))
	switch {
	case r.T < 0:
		err = errors.Join(err, errors.New("it is of no point in time"))
	case r.DatabaseID == "":
		err = errors.Join(err, errors.New("it is of no database"))
	case r.IndexVersion < 1 || r.LogVersion < 1:
		err = errors.Join(err, errors.New("its trees are of no version")) // Datomic would refuse it
	}
	if err != nil {
		return fmt.Errorf("write root at t %d of %s: %w", r.T, b, err)
	}
	if err := b.files.Put(ctx, rootKey(r.T), appendRoot(nil, r)); err != nil {
		return fmt.Errorf("write root at t %d: %w", r.T, err)
	}
	return nil
}
