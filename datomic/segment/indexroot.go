package segment

import "dclone"

// An Index is one of the four orders of a database's datoms.
type Index int

// The indexes. RAET is what Datomic's API calls :vaet.
const (
	EAVT Index = iota
	AEVT
	AVET
	RAET
	indexes
)

func (x Index) String() string { return [indexes]string{"eavt", "aevt", "avet", "raet"}[x] }

// A Tier is one of the trees that an index consists of.
type Tier int

// The tiers. What holds is in Main; where there is a Mid, it is in Main or Mid and not ended in Mid.
const (
	Main Tier = iota
	Mid       // assertions and retractions of late
	Hist      // retractions, and the assertions they end
	tiers
)

func (t Tier) String() string { return [tiers]string{"main", "mid", "hist"}[t] }

// An IndexRoot names the trees of a database.
type IndexRoot struct {
	Version                 int
	Rev                     int64    // counts index jobs
	NextT, BasisT           dclone.T // BasisT is the t up to which the trees go
	BirthLevel, SchemaLevel int64
	BuildRevision           int64
	Trees                   [indexes][tiers]ID // "" where there is none
	Fulltext, FulltextHist  ID                 // the same
}

// ParseIndexRoot reads an index root. In version 1 the trees are Main.
func ParseIndexRoot(raw []byte) (*IndexRoot, error) {
	f := decodeRecord(KindIndexRoot, raw)
	r := &IndexRoot{
		Version:       max(f.small("version"), 1),
		Rev:           f.int("rev"),
		NextT:         dclone.T(f.int("nextT")),
		BasisT:        dclone.T(f.int("basisT")),
		BirthLevel:    f.int("birth-level"),
		SchemaLevel:   f.int("schema-level"),
		BuildRevision: f.int("buildRevision"),
		Fulltext:      f.id("fulltext"),
		FulltextHist:  f.id("fulltext-hist"),
	}
	for x := range r.Trees {
		for t := range r.Trees[x] {
			r.Trees[x][t] = f.id(Index(x).String() + "-" + Tier(t).String())
		}
		if r.Trees[x][Main] == "" {
			r.Trees[x][Main] = f.id(Index(x).String())
		}
		if r.Trees[x][Main] == "" {
			f.fail("it has no :%s-main", Index(x))
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return r, nil
}

// IDs returns the ids of all trees.
func (r *IndexRoot) IDs() (ids []ID) {
	for x := range r.Trees {
		for _, id := range r.Trees[x] {
			if id != "" {
				ids = append(ids, id)
			}
		}
	}
	for _, id := range []ID{r.Fulltext, r.FulltextHist} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
