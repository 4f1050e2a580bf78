package session

// LiveLimits are those of groups that a running Datomic is sent, for tests that want them small.
var LiveLimits = &liveLimits
