package main

import (
	"context"
	"encoding/json"
	"iter"
	"math"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"dclone"
	"dclone/edn"
	"dclone/schema"
)

const logLong = `Print the transactions of a database, oldest first.

  text   a datom a line: [e a v tx added]
  edn    a transaction a line: {:t 6 :id #uuid "…" :tx-instant #inst "…" :data [[e a v tx added] …]}
  json   a transaction a line: {"t":6,"id":"…","tx":…,"tx_instant":"…","data":[[e,"a","v",tx,added],…]}

Attributes are printed by the name they had then, or by number where they had none.
Values are EDN, exact: tagged #uri, #bytes and #db/fn where EDN has no notation of its
own; in JSON they are strings that hold that EDN. The id of a transaction is there where
the database gives it one: Datomic Pro does, Datomic Local does not. Entity ids are
numbers in JSON too; some of Datomic Pro are greater than 2^53, which JavaScript and
older versions of jq round. The transactions every database is born with are left out
unless --from says otherwise.

Exit codes: 0 · 6 source error · 10 no such database, backup or restore point`

const logExample = `  dclone log datomic-local:dev/orders | head
  dclone log datomic-local:dev/orders --from 1000 --to 1010 --format edn
  dclone log 'file:/backups/orders?t=83207' --json
  dclone log 'datomic:sql://orders?jdbc:postgresql://db/datomic?user=datomic' --from 83208`

type logOptions struct {
	from, to int64
	all      bool // what the database was born with may be printed
	format   string
}

func newLog(p *program) *cobra.Command {
	var opt logOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "log ADDRESS",
		Short:   "Print transactions",
		Long:    logLong,
		Example: logExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON {
				opt.format = "json"
			}
			opt.all = cmd.Flags().Changed("from")
			ctx, cancel := untilSignal()
			defer cancel()
			return p.log(ctx, args, opt)
		},
	}
	cmd.Flags().Int64Var(&opt.from, "from", 0, "the first `T` to print (default behind those that every database is born with)")
	cmd.Flags().Int64Var(&opt.to, "to", math.MaxInt64, "the `T` to stop before (default behind the last)")
	cmd.Flags().Lookup("to").DefValue = "0"
	cmd.Flags().StringVar(&opt.format, "format", "text", "text, edn or json")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	p.liveFlags(cmd.Flags())
	p.verboseFlag(cmd.Flags())
	return cmd
}

// A txFormat appends a transaction to dst.
type txFormat func(dst []byte, tx *dclone.Tx, s *schema.Schema) ([]byte, error)

var txFormats = map[string]txFormat{"text": appendTxText, "edn": appendTxEDN, "json": appendTxJSON}

func (p *program) log(ctx context.Context, args []string, opt logOptions) error {
	format := txFormats[opt.format]
	p.json = opt.format == "json"
	switch {
	case format == nil:
		return usage("log", "--format %s: it may be text, edn or json", opt.format)
	case opt.from < 0:
		return usage("log", "--from %d: it cannot be negative", opt.from)
	case opt.to < opt.from:
		return usage("log", "--to %d: it cannot be before --from %d", opt.to, opt.from)
	}
	a, err := p.oneAddress("log", args)
	if err != nil {
		return err
	}
	src, err := p.openSource(ctx, a)
	if err != nil {
		return err
	}
	defer src.Close()
	if !opt.all {
		opt.from = int64(src.Born()) + 1
	}
	return p.printTxs(src.Txs(ctx, 0), opt, format)
}

// printTxs prints those of all transactions that were asked for. The others tell what attributes are
// called.
func (p *program) printTxs(txs iter.Seq2[*dclone.Tx, error], opt logOptions, format txFormat) error {
	var s schema.Schema
	var buf []byte
	for tx, err := range txs {
		if err == nil && int64(tx.T) >= opt.to {
			return nil
		}
		if err == nil {
			err = s.Apply(tx.Datoms)
		}
		buf = buf[:0]
		if err == nil && int64(tx.T) >= opt.from {
			buf, err = format(buf, tx, &s)
		}
		if err != nil {
			return dclone.InSource(err)
		}
		if _, err := p.Write(buf); err != nil {
			return nil // console.close tells, if it is to be told
		}
	}
	return nil
}

// appendDatom appends [e a v tx added].
func appendDatom(dst []byte, d dclone.Datom, s *schema.Schema) ([]byte, error) {
	v, err := value(d)
	if err != nil {
		return dst, err
	}
	dst = edn.Append(append(dst, '['), d.E)
	dst = edn.Append(append(dst, ' '), attributeName(d.A, s))
	dst = edn.Append(append(dst, ' '), v)
	dst = edn.Append(append(dst, ' '), d.Tx)
	dst = edn.Append(append(dst, ' '), d.Added)
	return append(dst, ']'), nil
}

// attributeName returns what a is called, or a itself where it has no name.
func attributeName(a dclone.EntityID, s *schema.Schema) any {
	if ident := s.Ident(a); !ident.IsZero() {
		return ident
	}
	return a
}

func appendTxText(dst []byte, tx *dclone.Tx, s *schema.Schema) ([]byte, error) {
	var err error
	for _, d := range tx.Datoms {
		if dst, err = appendDatom(dst, d, s); err != nil {
			return dst, err
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

func appendTxEDN(dst []byte, tx *dclone.Tx, s *schema.Schema) ([]byte, error) {
	dst = edn.Append(append(dst, "{:t "...), tx.T)
	if tx.ID != [16]byte{} {
		dst = edn.Append(append(dst, " :id "...), uuid.UUID(tx.ID))
	}
	dst = edn.Append(append(dst, " :tx-instant "...), tx.Instant)
	dst = append(dst, " :data ["...)
	for i, d := range tx.Datoms {
		if i > 0 {
			dst = append(dst, ' ')
		}
		var err error
		if dst, err = appendDatom(dst, d, s); err != nil {
			return dst, err
		}
	}
	return append(dst, "]}\n"...), nil
}

// jsonTx is a transaction as JSON.
type jsonTx struct {
	T       dclone.T        `json:"t"`
	ID      string          `json:"id,omitempty"`
	Tx      dclone.EntityID `json:"tx"`
	Instant string          `json:"tx_instant"`
	Data    [][]any         `json:"data"`
}

func appendTxJSON(dst []byte, tx *dclone.Tx, s *schema.Schema) ([]byte, error) {
	j := jsonTx{T: tx.T, Tx: dclone.TxID(tx.T), Instant: tx.Instant.String(), Data: [][]any{}}
	if tx.ID != [16]byte{} {
		j.ID = uuid.UUID(tx.ID).String()
	}
	for _, d := range tx.Datoms {
		v, err := value(d)
		if err != nil {
			return dst, err
		}
		a := attributeName(d.A, s)
		if kw, ok := a.(dclone.Keyword); ok {
			a = kw.String()
		}
		j.Data = append(j.Data, []any{d.E, a, string(edn.Append(nil, v)), d.Tx, d.Added})
	}
	b, err := json.Marshal(j)
	return append(append(dst, b...), '\n'), err
}
