package datasets

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// goRootSource gives the documents of [GoRoot], under the same names.
type goRootSource struct {
	root  string
	files []string
}

func openGoRoot(ctx context.Context) (*goRootSource, error) {
	root, err := FindGoRoot(ctx)
	if err != nil {
		return nil, err
	}
	files, err := listFiles(root, goRootFile, goRootFolder)
	if err != nil {
		return nil, fmt.Errorf("corpus goroot: %w", err)
	}
	return &goRootSource{root, files}, nil
}

// Data is the zero value. It does not say which version of Go is installed: the name does.
func (s *goRootSource) Data() slm.Data { return slm.Data{} }

// name is such as "goroot go1.26.0": another version of Go has another text.
func (s *goRootSource) name() string { return strings.TrimSpace("goroot " + GoVersion(s.root)) }

// Documents leaves out what is no document, and a text that came before.
func (s *goRootSource) Documents(ctx context.Context) iter.Seq2[Document, error] {
	return documentsOf(ctx, s.Data(), func(yield func(sourceFile, error) bool) {
		seen := map[[sha256.Size]byte]bool{}
		for _, name := range s.files {
			text, v := judge(s.root, name)
			if v.skipped != nil || seen[v.document.Sum] {
				continue
			}
			seen[v.document.Sum] = true
			if !yield(sourceFile{name: name, id: name, held: text}, nil) {
				return
			}
		}
	})
}
