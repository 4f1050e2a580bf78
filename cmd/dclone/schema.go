package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dclone"
	"dclone/address"
	"dclone/fressian"
	"dclone/source"
)

const schemaLong = `Show the attributes of a database: type, cardinality, uniqueness, flags, and how many
of their datoms hold now. Datomic's own attributes are left out without --all.

Exit codes: 0 · 6 source error · 10 no such database, backup or restore point`

const schemaExample = `  dclone schema datomic-local:dev/orders
  dclone schema datomic-local:/data/datomic/dev/orders --json
  dclone schema s3://backups/orders
  dclone schema client:cloud.edn#orders`

func newSchema(p *program) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "schema ADDRESS",
		Short:   "Show attributes, types and counts",
		Long:    schemaLong,
		Example: schemaExample,
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.schema(ctx, args, all)
		},
	}
	p.jsonFlag(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "show Datomic's own attributes too")
	p.liveFlags(cmd.Flags())
	p.verboseFlag(cmd.Flags())
	return cmd
}

// A schemaDoc is what schema prints.
type schemaDoc struct {
	Address    string            `json:"address"`
	T          dclone.T          `json:"t"`
	Attributes []schemaAttribute `json:"attributes"`
}

type schemaAttribute struct {
	ID          dclone.EntityID `json:"id"`
	Ident       string          `json:"ident"`
	ValueType   string          `json:"value_type"`
	Cardinality string          `json:"cardinality"`
	Unique      *string         `json:"unique"`
	Index       bool            `json:"index"` // Datomic Pro's, as is the next
	Fulltext    bool            `json:"fulltext"`
	IsComponent bool            `json:"is_component"`
	NoHistory   bool            `json:"no_history"`
	TupleType   *string         `json:"tuple_type"`
	TupleTypes  []string        `json:"tuple_types"`
	TupleAttrs  []string        `json:"tuple_attrs"`
	Doc         string          `json:"doc"`
	Datoms      int64           `json:"datoms"`
}

// oneAddress reads the address of the one database a command is about.
func (p *program) oneAddress(command string, args []string) (address.Address, error) {
	if len(args) != 1 {
		return nil, usage(command, "%s where ADDRESS is wanted", count(len(args), "argument", "arguments"))
	}
	p.source = address.Redact(args[0])
	return parseAddress(args[0])
}

func (p *program) schema(ctx context.Context, args []string, all bool) error {
	a, err := p.oneAddress("schema", args)
	if err != nil {
		return err
	}
	src, err := p.openSource(ctx, a)
	if err != nil {
		return err
	}
	defer src.Close()
	snap, err := src.Snapshot(ctx, src.Basis(), source.Options{Jobs: runtime.NumCPU()})
	if err != nil {
		return dclone.InSource(err)
	}
	defer snap.Close()
	own, indexed, searched := datomicsOwn(snap), flagged(snap, dclone.Kw("db", "index")), flagged(snap, dclone.Kw("db", "fulltext"))
	doc := schemaDoc{Address: a.String(), T: snap.Basis(), Attributes: []schemaAttribute{}}
	for attr := range snap.Schema().Attributes() {
		if !all && own(attr) {
			continue
		}
		n, err := countCurrent(ctx, snap, attr.ID)
		if err != nil {
			return dclone.InSource(err)
		}
		d := describeAttribute(attr, n)
		d.Index, d.Fulltext = indexed[attr.ID], searched[attr.ID]
		doc.Attributes = append(doc.Attributes, d)
	}
	slices.SortFunc(doc.Attributes, func(x, y schemaAttribute) int { return strings.Compare(x.Ident, y.Ident) })
	if p.json {
		return p.document(doc)
	}
	p.table(doc.rows()...)
	return nil
}

// datomicsOwn returns whether an attribute is Datomic's own: born with the database, or one that a later
// version of Datomic has added to it, which it does under a name that nobody else may give.
func datomicsOwn(snap source.Snapshot) func(*dclone.Attribute) bool {
	born := map[dclone.EntityID]bool{}
	for _, d := range snap.SchemaDatoms() {
		if d.A == dclone.AttrIdent && d.Tx.T() <= snap.Born() {
			born[d.E] = true
		}
	}
	return func(a *dclone.Attribute) bool {
		return born[a.ID] || a.Ident.IsReserved() || a.Ident.Namespace == "fressian"
	}
}

// flagged returns the attributes that have a flag. Not every source knows every flag.
func flagged(snap source.Snapshot, flag dclone.Keyword) map[dclone.EntityID]bool {
	ident, err := fressian.Append(nil, flag)
	set, err2 := fressian.Append(nil, true)
	if err != nil || err2 != nil {
		return nil
	}
	has, attr := map[dclone.EntityID]bool{}, dclone.EntityID(-1)
	for _, d := range snap.SchemaDatoms() {
		switch {
		case d.A == dclone.AttrIdent && d.Added && bytes.Equal(d.V, ident):
			attr = d.E
		case d.A == attr:
			has[d.E] = d.Added && bytes.Equal(d.V, set)
		}
	}
	return has
}

// countCurrent counts the datoms of an attribute that hold.
func countCurrent(ctx context.Context, snap source.Snapshot, a dclone.EntityID) (n int64, err error) {
	for datoms, err := range snap.Current(ctx, a) {
		if err != nil {
			return n, err
		}
		n += int64(len(datoms))
	}
	return n, nil
}

func describeAttribute(a *dclone.Attribute, datoms int64) schemaAttribute {
	d := schemaAttribute{ID: a.ID, Ident: a.Ident.String(), ValueType: a.ValueType.String(), Cardinality: ":db.cardinality/one",
		Unique: keywordText(a.Unique), IsComponent: a.IsComponent, NoHistory: a.NoHistory, TupleType: keywordText(a.TupleType),
		TupleTypes: keywordTexts(a.TupleTypes), TupleAttrs: keywordTexts(a.TupleAttrs), Doc: a.Doc, Datoms: datoms}
	if a.Many {
		d.Cardinality = ":db.cardinality/many"
	}
	return d
}

func keywordText(k dclone.Keyword) *string {
	if k.IsZero() {
		return nil
	}
	s := k.String()
	return &s
}

func keywordTexts(ks []dclone.Keyword) []string {
	texts := []string{}
	for _, k := range ks {
		texts = append(texts, k.String())
	}
	return texts
}

// rows are the schema for people.
func (d *schemaDoc) rows() []string {
	rows := []string{"ATTRIBUTE\tTYPE\tCARDINALITY\tDATOMS\tFLAGS"}
	for _, a := range d.Attributes {
		rows = append(rows, strings.Join([]string{a.Ident, shortName(a.ValueType), shortName(a.Cardinality),
			strconv.FormatInt(a.Datoms, 10), a.flags()}, "\t"))
	}
	if len(d.Attributes) == 0 {
		return []string{fmt.Sprintf("no attributes of its own at t %d", d.T)}
	}
	return rows
}

// shortName returns the name of a keyword alone, as :db.type/string is known to all.
func shortName(kw string) string { return kw[strings.LastIndex(kw, "/")+1:] }

func (a *schemaAttribute) flags() string {
	var flags []string
	if a.Unique != nil {
		flags = append(flags, "unique "+shortName(*a.Unique))
	}
	if a.Index {
		flags = append(flags, "index")
	}
	if a.Fulltext {
		flags = append(flags, "fulltext")
	}
	if a.IsComponent {
		flags = append(flags, "component")
	}
	if a.NoHistory {
		flags = append(flags, "noHistory")
	}
	if a.TupleType != nil {
		flags = append(flags, "of "+shortName(*a.TupleType))
	}
	if len(a.TupleTypes) > 0 {
		short := slices.Clone(a.TupleTypes)
		for i, t := range short {
			short[i] = shortName(t)
		}
		flags = append(flags, "of ["+strings.Join(short, " ")+"]")
	}
	if len(a.TupleAttrs) > 0 {
		flags = append(flags, "of ["+strings.Join(a.TupleAttrs, " ")+"]")
	}
	return strings.Join(flags, ", ")
}
