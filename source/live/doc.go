// Package live reads running databases as sources, through Datomic's own libraries.
//
// # Transactions
//
// The log has them. That of Datomic Pro lacks the bootstrap, whose transactions have a t below 1000: they are
// rebuilt of the datoms there are of them, as package source/pro does: the instant first, then idents, because
// attributes are known by those, then by entity, attribute, a retraction before an assertion, value. Where neither
// is known of a database, Datomic Cloud's, the transactions at its beginning that carry the instant 0 are its
// bootstrap.
//
// The ids that Datomic Pro gives its transactions are not told: a peer knows those of transactions it has read from storage,
// and not those of later ones.
//
// # Snapshots
//
// All is read as of one t, attribute by attribute, from the index AEVT. The datoms of one entity are in one slice:
// Current has them by value, History in the order they came about. Of what Datomic takes for different datoms although
// they are one value, the oldest counts.
//
// SchemaDatoms are read from AEVT too, and put in the order that the transactions have in which they are: where
// the log has those, they are looked up there one by one, as they are few.
//
// Of attributes with :db/noHistory, Datomic does not tell what was true as of a t that it has gone past. Their datoms are
// read from the log then, once.
//
// # Politeness
//
// Nothing is counted: how many datoms an attribute has is what the database's statistics say, about. Options.Rate
// limits how many datoms are asked for in a second.
//
// # Memory
//
// A few parts of a stream are in memory for each attribute that is being read; beside them all datoms that one entity
// has of one attribute, one transaction, and what had to be read from the log.
package live
