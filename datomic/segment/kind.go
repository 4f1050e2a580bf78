package segment

// A Kind is what bytes are, or were read as.
type Kind int

// The kinds of nodes, and of what is none.
const (
	Unknown        Kind = iota
	KindIndexRoot       // names the trees of all indexes
	KindRootNode        // the root of an index tree
	KindDirNode         // between root and leaves
	KindLeaf            // datoms of an index
	KindLogDir          // the root of the log, or a dir of it
	KindLogLeaf         // transactions
	KindSearchRoot      // names the full-text index of each attribute
	KindFiles           // the files of a full-text index
	KindChunk           // a piece of such a file
	LogTail             // transactions in the root of a database
	RootFile            // the root of a backup
	Packed              // a segment as it is stored
	kinds
)

var kindNames = [kinds]string{"segment", "index root", "index root node", "index dir node", "index leaf", "log dir",
	"log leaf", "full-text root", "full-text files", "full-text chunk", "log tail", "backup root", "packed segment"}

func (k Kind) String() string {
	if k < 0 || k >= kinds {
		k = Unknown
	}
	return kindNames[k]
}
