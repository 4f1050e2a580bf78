package fressian

// The codes. A name ending in 0 begins a run: the rest of the run is the number added to it.
const (
	codeInt1    = 0x00 // ..3F: the value itself; FF is -1
	codeInt2    = 0x40 // ..5F: 1 more byte
	codeInt3    = 0x60 // ..6F: 2 more
	codeInt4    = 0x70 // ..73: 3 more
	codeInt5    = 0x74 // ..77: 4 more
	codeInt6    = 0x78 // ..7B: 5 more
	codeInt7    = 0x7C // ..7F: 6 more
	codeRef0    = 0x80 // ..9F: cached value 0..31
	codeType0   = 0xA0 // ..AF: cached struct type 0..15
	codeLongs   = 0xB0
	codeDoubles = 0xB1
	codeBools   = 0xB2
	codeInts    = 0xB3
	codeFloats  = 0xB4
	codeObjects = 0xB5

	codeMap    = 0xC0
	codeSet    = 0xC1
	codeUUID   = 0xC3
	codeRegex  = 0xC4
	codeURI    = 0xC5
	codeBigInt = 0xC6
	codeBigDec = 0xC7
	codeInst   = 0xC8
	codeSym    = 0xC9
	codeKey    = 0xCA
	codeRef    = 0xCC // int: index of a cached value
	codePut    = 0xCD // value: it takes the next index
	codePreput = 0xCE // reserved
	codeFooter = 0xCF

	codeBytes0     = 0xD0 // ..D7: 0..7 bytes
	codeBytesChunk = 0xD8
	codeBytes      = 0xD9
	codeText0      = 0xDA // ..E1: 0..7 bytes
	codeTextChunk  = 0xE2
	codeText       = 0xE3
	codeList0      = 0xE4 // ..EB: 0..7 elements
	codeList       = 0xEC
	codeClosedList = 0xED
	codeOpenList   = 0xEE

	codeStruct  = 0xEF // tag, field count, fields: the pair takes the next index
	codeType    = 0xF0 // int: index of a cached struct type
	codeMeta    = 0xF1 // reserved
	codeAny     = 0xF4 // reserved
	codeTrue    = 0xF5
	codeFalse   = 0xF6
	codeNull    = 0xF7
	codeInt     = 0xF8
	codeFloat   = 0xF9
	codeDouble  = 0xFA
	codeDouble0 = 0xFB
	codeDouble1 = 0xFC
	codeEnd     = 0xFD
	codeReset   = 0xFE
	codeMinus1  = 0xFF
)

const (
	packed       = 8     // strings, bytes and lists below this length have it in their code
	packedRefs   = 32    // cached values below this index have it in their code
	packedTypes  = 16    // cached struct types, the same
	maxTextChunk = 65536 // bytes
	maxByteChunk = 65535

	footerMagic = 0xCFCFCFCF
	footerSize  = 12
)

// tagCodes holds the struct tags that have a code of their own; no writer spells them out.
var tagCodes = map[string]byte{
	"map": codeMap, "set": codeSet, "uuid": codeUUID, "regex": codeRegex, "uri": codeURI,
	"bigint": codeBigInt, "bigdec": codeBigDec, "inst": codeInst, "sym": codeSym, "key": codeKey,
	"int[]": codeInts, "long[]": codeLongs, "float[]": codeFloats, "double[]": codeDoubles,
	"boolean[]": codeBools, "Object[]": codeObjects,
}

func isInt(c byte) bool   { return c < codeRef0 || c == codeInt || c == codeMinus1 }
func isText(c byte) bool  { return c >= codeText0 && c <= codeText }
func isBytes(c byte) bool { return c >= codeBytes0 && c <= codeBytes }
func isList(c byte) bool  { return c >= codeList0 && c <= codeOpenList }
func isArray(c byte) bool { return c >= codeLongs && c <= codeObjects }

// isLongBytes holds for what may follow a chunk of bytes: unlike a string's, the last run of
// bytes is never packed.
func isLongBytes(c byte) bool { return c == codeBytesChunk || c == codeBytes }

// isType holds for the codes that begin a struct of no builtin type.
func isType(c byte) bool {
	return c >= codeType0 && c < codeLongs || c == codeStruct || c == codeType
}

// builtinFields returns how many values follow the code of a builtin struct, 0 where c is none.
func builtinFields(c byte) int {
	switch c {
	case codeBigDec, codeSym, codeKey:
		return 2
	case codeMap, codeSet, codeUUID, codeRegex, codeURI, codeBigInt, codeInst:
		return 1
	}
	return 0
}
