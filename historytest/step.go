package historytest

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"dclone"
)

// An action is one thing a random transaction can do.
type action struct {
	weight int
	do     func(*tx)
}

var actions = []action{
	{14, (*tx).newEntities},
	{12, (*tx).update},
	{6, (*tx).retractValue},
	{2, (*tx).retractEntity},
	{3, (*tx).recreate},
	{4, (*tx).metadata},
	{2, (*tx).oldTx},
	{3, (*tx).enum},
	{3, (*tx).renameEnum},
	{1, (*tx).swapEnums},
	{4, (*tx).installSome},
	{3, (*tx).alterSome},
	{3, (*tx).renameAttr},
	{2, (*tx).onAttr},
	{1, (*tx).onBuiltin},
	{1, (*tx).partition_},
	{1, (*tx).spec},
	{3, (*tx).liveDangling},
	{2, (*tx).twins},
	{2, (*tx).swapUnique},
	{2, (*tx).rescale},
	{1, (*tx).strangeEntity},
	{1, (*tx).chain},
}

// Step appends n random transactions.
func (h *History) Step(n int) {
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	for range n {
		x := h.begin()
		if len(h.attrs) == 0 {
			for range 4 {
				x.install()
			}
		}
		for range h.r.IntN(4) { // none: an empty transaction
			at := h.r.IntN(total)
			for _, a := range actions {
				if at -= a.weight; at < 0 {
					a.do(x)
					break
				}
			}
		}
		place := 0
		if h.r.IntN(5) == 0 {
			place = h.r.IntN(len(x.datoms) + 1)
		}
		x.commit(place)
	}
}

// Grow appends transactions of plain data, some hundred datoms each, until the log has n datoms
// more.
func (h *History) Grow(n int) {
	for n > 0 {
		x := h.begin()
		for len(h.attrs) < 12 {
			x.install()
		}
		for range 1 + h.r.IntN(60) {
			e := x.entity()
			x.fill(e, 1+h.r.IntN(6))
			if h.r.IntN(4) == 0 {
				x.update()
			}
		}
		x.commit(0)
		n -= len(x.datoms)
	}
}

// entity takes the id of a new entity.
func (x *tx) entity() dclone.EntityID {
	e := dclone.MakeEntityID(x.partition, x.h.next)
	x.h.next++
	x.h.users = append(x.h.users, e)
	return e
}

// someAttr returns an attribute that transactions may use by now.
func (x *tx) someAttr() *attr {
	a := x.h.attrs[x.h.r.IntN(len(x.h.attrs))]
	if a.since == x.t {
		a = x.h.attrs[0]
	}
	if a.since == x.t {
		return nil
	}
	return a
}

// user returns an entity that has or had datoms, 0 where there is none.
func (x *tx) user() dclone.EntityID {
	if len(x.h.users) == 0 {
		return 0
	}
	return x.h.users[x.h.r.IntN(len(x.h.users))]
}

// target returns an entity to refer to.
func (x *tx) target() dclone.EntityID {
	r := x.h.r
	switch n := r.IntN(40); {
	case n < 26 && len(x.h.users) > 0:
		return x.user() // dead ones too
	case n < 28:
		return x.id()
	case n < 30:
		return dclone.TxID(x.h.db.Txs[r.IntN(len(x.h.db.Txs))].T)
	case n < 31:
		return dclone.TxID(x.t + pick(r, dclone.T(1), 3, 1<<30)) // not yet a transaction, or never
	case n < 33:
		return pick(r, dclone.EntityID(0), 4, 7, 22, 35, 50, 63) // builtins
	case n < 34 && len(x.h.attrs) > 0:
		return x.h.attrs[r.IntN(len(x.h.attrs))].id
	case n < 36 && len(x.h.dangling) > 0:
		return x.h.dangling[r.IntN(len(x.h.dangling))]
	}
	e := x.dangler()
	x.h.dangling = append(x.h.dangling, e)
	return e
}

// dangler makes up a number that no entity has yet.
func (x *tx) dangler() dclone.EntityID {
	r := x.h.r
	switch r.IntN(5) {
	case 0:
		return dclone.EntityID(5000 + r.IntN(1000)) // in the db partition, never allocated
	case 1:
		return dclone.EntityID(pick(r, 5, 6, 8, 9, 14, 33, 44, 52)) // free in the bootstrap
	case 2:
		return dclone.MakeEntityID(dclone.PartUser, 1+r.Int64N(200))
	case 3:
		return dclone.MakeEntityID(dclone.Partition(r.IntN(1<<20)+1000), r.Int64N(1<<40))
	}
	e := dclone.MakeEntityID(x.partition, x.h.next)
	x.h.next += 1 + r.Int64N(3)
	return e
}

// fill gives an entity values of some attributes.
func (x *tx) fill(e dclone.EntityID, n int) {
	for range n {
		if a := x.someAttr(); a != nil {
			x.say(e, a)
		}
	}
}

func (x *tx) say(e dclone.EntityID, a *attr) {
	if v := x.value(a); v != nil {
		x.add(e, a, v)
	}
}

func (x *tx) newEntities() {
	first := len(x.h.users)
	for range 1 + x.h.r.IntN(5) {
		x.entity()
	}
	made := slices.Clone(x.h.users[first:])
	x.h.r.Shuffle(len(made), func(i, j int) { made[i], made[j] = made[j], made[i] })
	for _, e := range made {
		x.fill(e, 1+x.h.r.IntN(5))
	}
}

func (x *tx) update() {
	if e := x.user(); e != 0 {
		x.fill(e, 1+x.h.r.IntN(3))
	}
}

// attrOf finds the attribute of a fact that can be retracted by itself.
func (x *tx) attrOf(f Fact) *attr {
	for _, a := range x.h.attrs {
		if a.id == f.A && a.parts == nil {
			return a
		}
	}
	return nil
}

func (x *tx) retractValue() {
	facts := x.h.db.of(x.user())
	if len(facts) == 0 {
		return
	}
	f := facts[x.h.r.IntN(len(facts))]
	if a := x.attrOf(f); a != nil {
		x.retract(f.E, a, dclone.Value(f.V))
	}
}

// retractEntity retracts all an entity has, and what refers to it as a whole value.
func (x *tx) retractEntity() {
	e := x.user()
	if e == 0 {
		return
	}
	for _, f := range x.h.db.of(e) {
		if f.A == aIdent {
			x.endIdent(e)
		} else if a := x.attrOf(f); a != nil {
			x.retract(e, a, dclone.Value(f.V))
		}
	}
	ref := encode(int64(e))
	for _, from := range x.h.users {
		for _, f := range x.h.db.of(from) {
			if a := x.attrOf(f); f.V == string(ref) && a != nil && a.kind == "ref" {
				x.retract(from, a, ref)
			}
		}
	}
}

func (x *tx) recreate() {
	for range 5 {
		if e := x.user(); e != 0 && len(x.h.db.of(e)) == 0 {
			x.fill(e, 2)
			return
		}
	}
}

// metadata says something of the transaction itself.
func (x *tx) metadata() { x.fill(x.id(), 1+x.h.r.IntN(3)) }

// oldTx says something of an old transaction, or takes it back; the bootstrap's are among them.
func (x *tx) oldTx() {
	e := dclone.TxID(x.h.db.Txs[x.h.r.IntN(len(x.h.db.Txs))].T)
	for _, f := range x.h.db.of(e) {
		if a := x.attrOf(f); a != nil && x.h.r.IntN(3) == 0 {
			x.retract(e, a, dclone.Value(f.V))
		}
	}
	x.fill(e, 1)
}

// enum gives an ident to an entity, mostly a new one.
func (x *tx) enum() {
	e := x.user()
	if e == 0 || x.h.r.IntN(3) > 0 {
		e = x.entity()
		x.fill(e, x.h.r.IntN(3))
	}
	x.ident(e, x.h.newKeyword("enum"))
}

// ident gives e an ident, in place of the one it has.
func (x *tx) ident(e dclone.EntityID, kw dclone.Keyword) {
	if !x.touchKeyword(kw) || !x.claim(e, aIdent, false, nil) {
		return
	}
	have := x.h.db.values(e, aIdent)
	x.put(e, aIdent, encode(kw), true)
	if len(have) > 0 {
		x.put(e, aIdent, have[0], false)
	}
}

// touchKeyword keeps a transaction from giving one keyword to two entities.
func (x *tx) touchKeyword(kw dclone.Keyword) bool {
	if _, ok := x.h.reserved[kw]; ok || x.h.holds(kw) {
		return false
	}
	return x.claim(-1, aIdent, true, encode(kw))
}

func (x *tx) endIdent(e dclone.EntityID) {
	if have := x.h.db.values(e, aIdent); len(have) > 0 && x.claim(e, aIdent, false, nil) {
		x.put(e, aIdent, have[0], false)
	}
}

func (x *tx) renameEnum() {
	e := x.named()
	if e == 0 {
		return
	}
	switch x.h.r.IntN(3) {
	case 0:
		x.endIdent(e)
	default:
		x.ident(e, x.h.newKeyword("enum"))
	}
}

// named returns an ordinary entity that has or had an ident.
func (x *tx) named() dclone.EntityID {
	var es []dclone.EntityID
	for _, kw := range x.h.kws {
		if e, ok := x.h.db.Keyword[kw]; ok && e.Partition() > dclone.PartUser {
			es = append(es, e)
		}
	}
	if len(es) == 0 {
		return 0
	}
	return es[x.h.r.IntN(len(es))]
}

// swapEnums has two entities change idents.
func (x *tx) swapEnums() {
	a, b := x.named(), x.named()
	ia, ib := x.h.db.values(a, aIdent), x.h.db.values(b, aIdent)
	if a == 0 || a == b || len(ia) == 0 || len(ib) == 0 {
		return
	}
	if !x.claim(a, aIdent, false, nil) || !x.claim(b, aIdent, false, nil) {
		return
	}
	x.put(a, aIdent, ib[0], true)
	x.put(a, aIdent, ia[0], false)
	x.put(b, aIdent, ia[0], true)
	x.put(b, aIdent, ib[0], false)
}

func (x *tx) installSome() {
	for range 1 + x.h.r.IntN(3) {
		if len(x.h.attrs) < 60 {
			x.install()
		}
	}
}

func (x *tx) alterSome() {
	if a := x.someAttr(); a != nil {
		x.alter(a)
	}
}

func (x *tx) renameAttr() {
	a := x.someAttr()
	if a == nil {
		return
	}
	if x.h.r.IntN(6) == 0 {
		x.endIdent(a.id)
		return
	}
	x.ident(a.id, x.h.newKeyword("attr"))
}

// onAttr says something of one's own of an attribute.
func (x *tx) onAttr() {
	if a := x.someAttr(); a != nil {
		x.fill(a.id, 1+x.h.r.IntN(2))
	}
}

// onBuiltin does the same to a builtin, where nothing that is there may be changed.
func (x *tx) onBuiltin() {
	e := pick(x.h.r, dclone.EntityID(0), 3, 7, 10, 23, 36, 50)
	if e == 7 && len(x.h.db.values(7, aDoc)) == 0 && x.claim(7, aDoc, false, nil) {
		x.put(7, aDoc, encode("of mine"), true)
		return
	}
	a := x.someAttr()
	if a == nil || !a.many && len(x.h.db.values(e, a.id)) > 0 || x.h.isPart(a) {
		return
	}
	x.say(e, a)
}

// partition_ makes a partition, which nothing is put in.
func (x *tx) partition_() {
	e := dclone.MakeEntityID(dclone.PartDB, x.h.nextDB)
	x.h.nextDB++
	x.ident(e, x.h.newKeyword("part"))
	x.put(0, aPartition, encode(int64(e)), true)
}

// spec makes an entity spec.
func (x *tx) spec() {
	e := x.entity()
	x.ident(e, x.h.newKeyword("spec"))
	for range 2 {
		if a := x.someAttr(); a != nil {
			x.add(e, &attr{id: aEntityAttrs, many: true}, encode(x.h.db.Name[a.id]))
		}
	}
	x.add(e, &attr{id: aEntityPreds, many: true}, encode(dclone.Symbol(dclone.Kw("my.preds", "ok?"))))
}

// liveDangling gives datoms to an entity that so far was only referred to.
func (x *tx) liveDangling() {
	for i, e := range x.h.dangling {
		p := e.Partition()
		if (p > dclone.PartUser || p == dclone.PartUser && x.h.r.IntN(3) == 0) && e.Eidx() < x.h.next {
			x.h.dangling = slices.Delete(x.h.dangling, i, i+1)
			x.h.users = append(x.h.users, e)
			x.fill(e, 2)
			return
		}
	}
}

// twins makes entities that nothing but their numbers tells apart.
func (x *tx) twins() {
	a, b := x.someAttr(), x.someAttr()
	if a == nil || a.unique != 0 || b.unique != 0 {
		return
	}
	v, w := x.value(a), x.value(b)
	for range 2 + x.h.r.IntN(3) {
		e := x.entity()
		if v != nil {
			x.add(e, a, v)
		}
		if w != nil {
			x.add(e, b, w)
		}
	}
}

// chain makes entities that have nothing but refs to each other, in a circle or not.
func (x *tx) chain() {
	i := slices.IndexFunc(x.h.attrs, func(a *attr) bool { return a.kind == "ref" && a.since < x.t && a.unique == 0 })
	if i < 0 {
		return
	}
	first := x.entity()
	last := first
	for range 1 + x.h.r.IntN(5) {
		e := x.entity()
		x.add(last, x.h.attrs[i], encode(int64(e)))
		last = e
	}
	if x.h.r.IntN(2) == 0 {
		x.add(last, x.h.attrs[i], encode(int64(first)))
	}
}

// uniqueValue makes a value nobody has.
func (x *tx) uniqueValue(a *attr) dclone.Value {
	x.h.serial++
	n := x.h.serial
	switch a.kind {
	case "ref":
		e := dclone.MakeEntityID(x.partition, x.h.next)
		x.h.next++
		x.h.dangling = append(x.h.dangling, e)
		return encode(int64(e))
	case "long":
		return encode(n)
	case "instant":
		return encode(dclone.Instant(n))
	case "keyword":
		return encode(dclone.Kw("unique", fmt.Sprint(n)))
	case "symbol":
		return encode(dclone.Symbol(dclone.Kw("unique", fmt.Sprint(n))))
	case "string":
		return encode(fmt.Sprint("unique ", n))
	case "uri":
		return encode(dclone.URI(fmt.Sprint("urn:unique:", n)))
	case "bigint":
		return encode(big.NewInt(n))
	case "bigdec":
		return encode(dclone.Decimal{Unscaled: big.NewInt(n), Scale: 1})
	}
	return encode(scalar(x.h.r, a.kind)) // uuid
}

// swapUnique has two entities change the values of a unique attribute, or moves one onto a new
// entity in two transactions.
func (x *tx) swapUnique() {
	for _, a := range x.h.attrs {
		if a.unique == 0 || a.many || a.since == x.t {
			continue
		}
		var with []dclone.EntityID
		for _, e := range x.h.users {
			if len(x.h.db.values(e, a.id)) == 1 && !slices.Contains(with, e) {
				with = append(with, e)
			}
		}
		if len(with) < 2 {
			continue
		}
		e, f := with[x.h.r.IntN(len(with))], with[x.h.r.IntN(len(with))]
		ve, vf := x.h.db.values(e, a.id)[0], x.h.db.values(f, a.id)[0]
		if e == f || canon(ve) == canon(vf) || !x.claim(e, a.id, false, nil) || !x.claim(f, a.id, false, nil) {
			continue
		}
		x.put(e, a.id, vf, true)
		x.put(e, a.id, ve, false)
		if x.h.r.IntN(2) == 0 {
			x.put(f, a.id, ve, true)
		}
		x.put(f, a.id, vf, false)
		return
	}
}

// rescale says a decimal again with another scale.
func (x *tx) rescale() {
	for _, e := range x.h.users[max(0, len(x.h.users)-200):] {
		for _, f := range x.h.db.of(e) {
			a := x.attrOf(f)
			if a == nil || a.kind != "bigdec" || x.h.r.IntN(3) > 0 {
				continue
			}
			d := decode(dclone.Value(f.V)).(dclone.Decimal)
			v := dclone.Decimal{Unscaled: new(big.Int).Mul(d.Unscaled, big.NewInt(10)), Scale: d.Scale + 1}
			if a.unique == 0 {
				x.add(e, a, encode(v))
			}
			return
		}
	}
}

// strangeEntity makes an entity where Datomic Local would not: in partition 4, far away, among
// the builtins, or with an eidx that another partition has.
func (x *tx) strangeEntity() {
	r := x.h.r
	e := dclone.MakeEntityID(dclone.PartUser, x.h.next)
	switch old := x.user(); {
	case r.IntN(3) == 0 && old != 0:
		e = dclone.MakeEntityID(pick(r, dclone.Partition(4), 17, 20, 23, 30), old.Eidx())
	case r.IntN(2) == 0:
		e = dclone.MakeEntityID(pick(r, dclone.Partition(900), 500000, 1, 5), x.h.next)
	case r.IntN(2) == 0:
		e = pick(r, dclone.EntityID(5), 6, 8, 9, 14) // free in the bootstrap, but Local lets one use them
	}
	x.h.next++
	x.h.users = append(x.h.users, e)
	x.fill(e, 3)
}

func (h *History) bigText() string {
	return strings.Repeat("0123456789", 6000+h.r.IntN(2000)) + "\U0001f600"
}

func (h *History) bigInt() *big.Int {
	return new(big.Int).Lsh(big.NewInt(1+h.r.Int64N(1000)), uint(8*(65000+h.r.IntN(1000))))
}
