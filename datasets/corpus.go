package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// textFile is one file of a corpus.
type textFile struct {
	Path  string            // relative to the corpus's folder, with slashes
	Bytes int64             // size of the file
	Sum   [sha256.Size]byte // of its content
}

// Corpus is a list of text files in two halves, for training and for validation. No file is in both, nor is one file's
// content under another name. It reads and tokenizes a document when it is needed; several goroutines may use it.
type Corpus struct {
	name       string
	root       string
	tokenizer  *Tokenizer
	training   []textFile
	validation []textFile
	skipped    Skipped
	hash       string
}

// Skipped counts the files that a corpus left out.
type Skipped struct {
	Unreadable int // could not be opened or read
	Binary     int // not UTF-8 text
	Large      int // larger than 256 KiB
	Generated  int // marked as generated code
	Duplicate  int // the same content as another file
	Empty      int
}

func newCorpus(name, root string, tokenizer *Tokenizer, documents []textFile, skipped Skipped) (*Corpus, error) {
	c := &Corpus{name: name, root: root, tokenizer: tokenizer, skipped: skipped}
	c.training, c.validation = split(documents)
	if len(c.training) == 0 || len(c.validation) == 0 {
		return nil, fmt.Errorf("corpus %s: %d documents in %s are too few to train on and to hold some out", name, len(documents), root)
	}
	c.hash = c.sum()
	return c, nil
}

// sum hashes all that decides which tokens the corpus gives: documents, their contents and half, and the tokenizer.
func (c *Corpus) sum() string {
	h := sha256.New()
	fmt.Fprintf(h, "offshoot corpus 1\n%s\n", c.tokenizer.Hash())
	for _, half := range [][]textFile{c.training, c.validation} {
		fmt.Fprintf(h, "%d\n", len(half))
		for _, d := range half {
			fmt.Fprintf(h, "%q %d %x\n", d.Path, d.Bytes, d.Sum)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Name is what the corpus is called.
func (c *Corpus) Name() string { return c.name }

// Hash identifies the corpus: the SHA-256, in hexadecimal, of its files' names and contents, their split and the
// tokenizer. Two corpora with the same hash give the same tokens.
func (c *Corpus) Hash() string { return c.hash }

// Documents counts the files of the two halves.
func (c *Corpus) Documents() (training, validation int) { return len(c.training), len(c.validation) }

// Bytes is the size of the text in the two halves.
func (c *Corpus) Bytes() (training, validation int64) {
	return totalBytes(c.training), totalBytes(c.validation)
}

func totalBytes(documents []textFile) int64 {
	n := int64(0)
	for _, d := range documents {
		n += d.Bytes
	}
	return n
}

// Skipped counts the files that were left out.
func (c *Corpus) Skipped() Skipped { return c.skipped }

// read is a document's text. A file that changed since the corpus was opened is an error: a stream over it could not be
// resumed.
func (c *Corpus) read(ctx context.Context, d textFile) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(c.root, filepath.FromSlash(d.Path)))
	if err != nil {
		return nil, fmt.Errorf("corpus %s: %w", c.name, err)
	}
	if sha256.Sum256(text) != d.Sum {
		return nil, fmt.Errorf("corpus %s: %s changed since the corpus was opened; open it again", c.name, d.Path)
	}
	return text, nil
}

// encode is [Tokenizer.encodeDocument] of a document's text, or of a part of it.
func (c *Corpus) encode(d textFile, text []byte) ([]int32, error) {
	ids, err := c.tokenizer.encodeDocument(string(text))
	if err != nil {
		return nil, fmt.Errorf("corpus %s: %s: %w", c.name, d.Path, err)
	}
	return ids, nil
}
