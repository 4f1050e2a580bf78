// Package local reads and writes the directory of a Datomic Local database.
//
// The format is undocumented; what follows was measured on com.datomic/local 1.0.291, and the
// tests check it against the real thing.
//
//	STORAGE-DIR / SYSTEM / DB-NAME /
//	    .lock            0 bytes, only a lock target
//	    db.log           concatenated transaction frames: the database
//	    log.idx          8-byte offset of each frame, in order
//	    db-root-%010d    EDN, present once indexed     } derived from db.log, and
//	    index-*-T        8-byte pointers into db.log   } deleted together
//
// Everything is big-endian:
//
//	frame   := header:u64 datom*count
//	header  := check:2 | countHigh:4 | t:38 | countLow:20      check = (t XOR count) AND 3
//	datom   := len:u16 struct                  len counts itself; the total is at most 65535
//	         | 00 00 len:u32 struct            where it would be more; len counts all six bytes
//	struct  := EF DB 'd' 04  e:int  a:int  (t<<1 | added):int  v      all fressian
//
// Each datom is a fressian stream of its own, so one can be read alone at its offset, and the
// bytes of its value can be copied into another datom as they are. A frame holds one
// transaction; t grows from frame to frame. For example the first datom of every database,
// [13194139533312 50 #inst "1970-01-01" 13194139533312 true]:
//
//	0011                 17 bytes in all
//	ef db 64 04          a struct "d" of four fields
//	7e 0c0000000000      e = 3<<42 | 0, the transaction entity of t 0
//	32                   a = 50, :db/txInstant
//	01                   t = 0, added
//	c8 00                v = instant, 0 ms
//
// A commit writes the entry to log.idx, then the frame to db.log, then syncs both in that order.
// So a reader that looks at log.idx first finds every frame but perhaps the last one whole.
// log.idx helps to find a frame by t; db.log alone is believed.
package local
