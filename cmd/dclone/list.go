package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"dclone/address"
)

const listLong = `List what there is at ADDRESS:

  datomic-local:…      the databases of a storage-dir, of one of its systems, or just one: t,
                       size, first and newest instant, and of what it is a clone, if dclone
                       made it. Where ADDRESS is left out, the storage-dir is that of
                       ~/.datomic/local.edn
  file:… or s3://…     the restore points of a Datomic Pro backup, newest first
  datomic:sql://*?…    the databases of Datomic Pro storage in PostgreSQL, with --deleted also
                       those that are deleted; a name instead of * lists that one alone
  client:… or a peer's URI
                       the one database it names, through Datomic's own library; with * for a
                       name, the names of all

Exit codes: 0 · 6 something cannot be read (the rest is listed) · 10 no such directory,
backup, restore point, storage or database`

const listExample = `  dclone list
  dclone list datomic-local:/data/datomic
  dclone list datomic-local:dev --json
  dclone list s3://backups/orders
  dclone list client:cloud.edn#orders
  dclone list 'client:cloud.edn#*'
  dclone list 'datomic:sql://*?jdbc:postgresql://db:5432/datomic?user=datomic&password=…'`

func newList(p *program) *cobra.Command {
	var deleted bool
	cmd := &cobra.Command{
		Use:     "list [ADDRESS]",
		Short:   "List databases, clones and restore points",
		Long:    listLong,
		Example: listExample,
		Aliases: []string{"list-backups"},
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.list(ctx, args, deleted)
		},
	}
	p.jsonFlag(cmd)
	cmd.Flags().BoolVar(&deleted, "deleted", false, "list deleted databases of a storage too")
	p.childFlags(cmd.Flags())
	p.verboseFlag(cmd.Flags())
	return cmd
}

func (p *program) list(ctx context.Context, args []string, deleted bool) error {
	if len(args) > 1 {
		return usage("list", "%d arguments where ADDRESS is wanted", len(args))
	}
	text := address.Scheme
	if len(args) > 0 {
		text = args[0]
	}
	if strings.HasPrefix(text, address.Scheme) {
		return p.listLocal(ctx, text)
	}
	p.source = address.Redact(text)
	a, err := parseAddress(text)
	if err != nil {
		return err
	}
	if isLive(a) {
		return p.listLive(ctx, a)
	}
	if a, ok := a.(address.Storage); ok {
		return p.listStorage(ctx, a, deleted)
	}
	return p.listBackup(ctx, a.(address.Backup))
}

// listed prints a listing. damage is what could not be read of it.
func (p *program) listed(l interface{ rows() []string }, damage error) error {
	if p.json {
		return errors.Join(p.document(l), damage)
	}
	p.table(l.rows()...)
	return damage
}
