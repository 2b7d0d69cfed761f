package datasets

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// Documents are long beside a batch: in the order of documents, dozens of steps would see one file. The stream is
// therefore shuffled by passages, parts of a document of about the same size, so that a batch sees several files.

// passageBytes is the nominal size of a passage for windows of seqLen tokens: two windows or more of source code or
// prose (3 to 4 bytes a token), a power of two from 2 KiB on, so that lengths close to each other share one.
func passageBytes(seqLen int) int64 {
	size := int64(2 << 10)
	for size < int64(seqLen)*8 && size < maxDocument {
		size *= 2
	}
	return size
}

// passages numbers the passages of documents. How many a document has follows from its size alone.
type passages struct {
	bytes int64 // nominal size
	first []int // first passage of each document, and their number at the end
}

func cutIntoPassages(documents []textFile, bytes int64) passages {
	p := passages{bytes: bytes, first: make([]int, len(documents)+1)}
	for i, d := range documents {
		p.first[i+1] = p.first[i] + int((d.Bytes+bytes-1)/bytes)
	}
	return p
}

func (p passages) count() int { return p.first[len(p.first)-1] }

// of is the document that passage n is in, and the passage's number in it.
func (p passages) of(n int) (document, part int) {
	document = sort.SearchInts(p.first, n+1) - 1
	return document, n - p.first[document]
}

// text is one part of a document. The parts of a document put together are the document. A part begins after the first
// line end at or after its nominal place, or on a rune when the next part's place comes before a line end. The last part
// is empty when the last line begins before its place.
func (p passages) text(document []byte, part int) []byte {
	return document[p.cut(document, part):p.cut(document, part+1)]
}

func (p passages) cut(document []byte, part int) int {
	nominal := part * int(p.bytes)
	if part == 0 || nominal >= len(document) {
		return min(nominal, len(document))
	}
	reach := document[nominal-1 : min(nominal-1+int(p.bytes), len(document))]
	if end := bytes.IndexByte(reach, '\n'); end >= 0 {
		return nominal + end
	}
	for nominal < len(document) && !utf8.RuneStart(document[nominal]) {
		nominal++
	}
	return nominal
}
