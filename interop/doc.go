// Package interop runs the real Datomic Local, and the real Datomic Pro, beside a test, so that what
// dclone reads and writes is held against Datomic's own answers and not against our idea of them.
//
//	func TestMain(m *testing.M) { os.Exit(interop.Main(m)) }
//
//	func TestOpens(t *testing.T) {
//		jvm := interop.Start(t)
//		jvm.Eval(t, `(def c (conn `+interop.Str(dir)+` "dev" "movies"))`)
//		n := jvm.Eval(t, `(ffirst (d/q '[:find (count ?e) :where [?e :movie/title]] (d/db c)))`)
//	}
//
// [Start] answers one child JVM that all tests of a process share; [Fresh] starts one of the test's
// own, for the cases that need a process which has not seen a database before or that is killed.
// [StartPro] and [FreshPro] do the same with a JVM that has Datomic Pro too. A test is skipped, by
// name of what is missing, where java or mvn is not installed; with DCLONE_REQUIRE_INTEROP=1 in the
// environment it fails instead, which is how a build server makes sure that these tests did run.
//
// # Evaluating
//
// [JVM.Eval] takes any number of Clojure forms and answers what pr-str makes of the last one's value.
// They are evaluated one request at a time in the namespace user, where datomic.client.api is d,
// clojure.string is str, and the following are at hand. What a request defines, later ones see,
// those of other tests too; a helper's name cannot be defined anew.
//
//	(client dir system)               the client; dir is an absolute storage-dir
//	(list-dbs dir system)             names of the databases, sorted
//	(create dir system db)            create-database, then conn
//	(conn dir system db)              connect; the JVM now holds the database's lock
//	(release dir system db)           let go of the lock; without it no other process can open the database
//	(reopen dir system db)            release, then conn: a connection that has read everything from disk
//	(delete dir system db)            delete-database
//	(tx! conn tx-data)                transact; answers the report
//	(try-tx! conn tx-data)            transact; answers :ok, or the :db/error (else the message) of the refusal
//	(attr ident type opt val ...)     an attribute's definition: (attr :a/b :string :many true :db/doc "…")
//	(dump-tx-range conn file)         the log, a line "t T COUNT" and COUNT datoms for each transaction
//	(dump-datoms db index file)       d/datoms of the whole index, :eavt :aevt :avet or :vaet
//	(dump-avet db file)               d/datoms :avet of each attribute in turn, by attribute id
//	(dump-datom datom)                one line of a dump
//	(dump-value v)                    one value of a dump
//	(attributes db)                   [[id ident value-type cardinality]...], by id
//	(pull-by-ident db ident)          (d/pull db '[*] ident) in an order of its own: maps sorted by key
//	(picture db)                      what the database says without entity ids, to compare a clone with its source
//
// Those of a JVM with Datomic Pro have more. A uri is one that peers connect to, of a storage in PostgreSQL.
//
//	(pro/create uri)                  create-database, then pro/conn
//	(pro/create-old uri)              the same of a database as from before there were tuples; (pro/upgrade! conn) adds them
//	(pro/conn uri)                    connect; the connection is one of the client API, so that all of the above can be used
//	(pro/release uri) (pro/reopen uri)    as release and reopen
//	(pro/delete uri) (pro/rename uri name)
//	(pro/index! uri)                  an index job, with the excisions that are due; done when it returns
//	(pro/gc! uri)                     deletes the segments that are garbage by now
//	(pro/with-sizes sizes f)          calls f while index jobs write small nodes, so that small databases have deep trees
//	(pro/start-live! uri) (pro/stop-live!)    a writer beside the test: transactions, index jobs, garbage collection
//	(pro/backup! uri to)              backup-db; {:copied n :skipped m}
//	(pro/restore! from uri t)         restore-db
//	(pro/backups at) (pro/verify at t)    list-backups, verify-backup that reads everything
//	(pro/dump conn dir)               all dumps: [JVM.DumpPro]
//
// What of it is not Datomic's own: there is no process of a transactor. The peer library has the
// transactor's code for storage, indexes, excision, backups and garbage; clj/transactor.clj takes its place as the one to
// whom peers send transactions. And directories as places of backups are clj/fsbackup.clj's, since the peer library lacks
// them: keys are paths, bytes are kept.
//
// Requests print to the child's stderr, which is kept and shown when a test fails. Anything may be
// printed, System/out included: answers travel on a descriptor of their own.
//
// # Sources for tests
//
// [JVM.Load] loads scripts that make databases. All their values and instants are fixed; only the partitions
// in entity ids differ from run to run.
//
//	features    (features/run-wave! conn n) for n from 1 to (count features/waves): everything that a clone can get
//	            wrong, in waves between which a test clones and catches up; what each holds, its docstring says
//	random      (random/schema! conn), then (random/tx! conn rnd) or (random/txs! conn seed n)
//	profeatures (profeatures/run-wave! conn n): what Datomic Pro has besides; (profeatures/excise! conn)
//	demo        (demo/build! dir): testdata/demo
//
// features and random make databases of Datomic Pro, too. In those, new entities are always in the user partition.
//
// # The notation of dumps
//
// A datom is a line "e a v tx op", with op + or -, and v so written that different values
// never look alike and no value holds a space but between elements:
//
//	L42  N42  Btrue       long or ref, bigint, boolean
//	D400921fb54442d18     double: its 64 bits        F3fc00000   float: its 32 bits
//	M1234e2               bigdec: unscaled value, scale
//	I-1  U0123…  Rurn:x   instant in milliseconds, uuid, uri
//	Stext                 string
//	Kns|name  Yns|name    keyword, symbol; "K|name" without a namespace
//	T[L1 nil Sx]          tuple
//	X00ff                 bytes
//	P[Kclojure T[] …]     database function: lang, params, requires, imports, code
//
// A text with anything but the printable characters of ASCII, or with a space or a backslash, is
// written \u and then four hexadecimal digits for each UTF-16 unit; so is a part of a keyword or
// symbol that holds a bar, and an empty namespace, which is not the same as none, is \u alone.
package interop
