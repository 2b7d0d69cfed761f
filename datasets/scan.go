package datasets

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// maxDocument is the largest file, in bytes, that is taken for prose or source; larger ones are mostly tables.
const maxDocument = 256 << 10

// GoRoot is the corpus "goroot": the Go source and the prose of the Go installation, some 60 MB that need no download.
// It leaves out testdata, the API listings and generated code. Its name has the version of Go.
//
// progress, when not nil, is told now and then how many of the files have been looked at; calls do not overlap.
func GoRoot(ctx context.Context, tokenizer *Tokenizer, progress func(done, total int)) (*Corpus, error) {
	s, err := openGoRoot(ctx)
	if err != nil {
		return nil, err
	}
	return open(ctx, s.name(), s.root, tokenizer, s.files, progress)
}

// GoVersion is what a Go installation says of its version, such as "go1.26.0"; empty if it says nothing.
func GoVersion(root string) string {
	text, _ := os.ReadFile(filepath.Join(root, "VERSION")) // a checkout of Go's repository has none
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first)
}

// FindGoRoot is the folder of the Go installation: what the environment says, else what the go command does. It is an
// error when there is none, or none with its source.
func FindGoRoot(ctx context.Context) (string, error) {
	root := os.Getenv("GOROOT")
	if root == "" {
		out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
		if err != nil {
			return "", fmt.Errorf("corpus goroot: no Go installation found: %w; put go on PATH or set GOROOT", err)
		}
		root = strings.TrimSpace(string(out))
	}
	if stat, err := os.Stat(filepath.Join(root, "src")); err != nil || !stat.IsDir() {
		return "", fmt.Errorf("corpus goroot: GOROOT %q has no folder src, so it is no Go installation with its source; set GOROOT to one", root)
	}
	return root, nil
}

func goRootFile(name string) bool {
	switch path.Ext(name) {
	case ".go", ".md", ".html", ".txt":
		return true
	}
	return false
}

func goRootFolder(name string) bool {
	base := path.Base(name)
	return base != "testdata" && !strings.HasPrefix(base, ".") && name != "api" && name != "pkg" && name != "bin"
}

// Text is a corpus of one's own text: every file under the given files and folders that holds UTF-8 text. Its name is
// that of the folder they have in common. Hidden files and folders are left out.
func Text(ctx context.Context, tokenizer *Tokenizer, paths ...string) (*Corpus, error) {
	if len(paths) == 0 {
		return nil, errors.New("corpus: no file or folder was named")
	}
	root, err := commonFolder(paths)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, p := range paths {
		listed, err := listVisible(root, p)
		if err != nil {
			return nil, fmt.Errorf("corpus: %w", err)
		}
		files = append(files, listed...)
	}
	slices.Sort(files)
	return open(ctx, filepath.Base(root), root, tokenizer, slices.Compact(files), nil)
}

// listVisible lists the files under a path that are not hidden, as slash-separated paths relative to root, which holds it.
func listVisible(root, p string) ([]string, error) {
	absolute, err := filepath.Abs(p)
	if err != nil {
		return nil, err
	}
	files, err := listFiles(absolute, visible, visible)
	if err != nil {
		return nil, err
	}
	below, err := filepath.Rel(root, absolute)
	for i := range files {
		files[i] = path.Join(filepath.ToSlash(below), files[i])
	}
	return files, err
}

// visible reports a file or folder that is not hidden.
func visible(name string) bool { return !strings.HasPrefix(path.Base(name), ".") }

// commonFolder is the deepest folder that holds all paths.
func commonFolder(paths []string) (string, error) {
	common := ""
	for _, p := range paths {
		absolute, err := filepath.Abs(p)
		if err != nil {
			return "", err
		}
		stat, err := os.Stat(absolute)
		if err != nil {
			return "", fmt.Errorf("corpus: %w", err)
		}
		if !stat.IsDir() {
			absolute = filepath.Dir(absolute)
		}
		if common == "" {
			common = absolute
		}
		for !within(absolute, common) {
			common = filepath.Dir(common)
		}
	}
	return common, nil
}

func within(p, folder string) bool {
	relative, err := filepath.Rel(folder, p)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// listFiles lists the regular files under root that file accepts, sorted, as slash-separated paths relative to root; it
// enters the folders that folder accepts. A root that is a file is listed as ".". A folder that cannot be read is an error
// only when it is root itself.
func listFiles(root string, file, folder func(name string) bool) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		relative, relErr := filepath.Rel(root, p)
		name := filepath.ToSlash(relative)
		switch {
		case relErr != nil:
			return relErr
		case err != nil && name == ".":
			return err
		case err != nil:
			return nil
		case entry.IsDir() && name != "." && !folder(name):
			return fs.SkipDir
		case entry.Type().IsRegular() && (name == "." || file(name)):
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// verdict is what became of a file.
type verdict struct {
	document textFile
	skipped  func(*Skipped) *int // which count it adds to; nil when it is kept
}

// open reads all files once, on all cores, to sort out what is no document, and makes a corpus of the rest. Of files with
// equal content the first by path stays.
func open(ctx context.Context, name, root string, tokenizer *Tokenizer, files []string, progress func(done, total int)) (*Corpus, error) {
	if err := tokenizer.separates(); err != nil {
		return nil, fmt.Errorf("corpus %s: %w", name, err)
	}
	verdicts := make([]verdict, len(files))
	var lock sync.Mutex
	done := 0
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0)) // reading waits
	const each = 256
	for first := 0; first < len(files); first += each {
		group.Go(func() error {
			last := min(first+each, len(files))
			for i := first; i < last; i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				_, verdicts[i] = judge(root, files[i])
			}
			lock.Lock()
			defer lock.Unlock()
			done += last - first
			if progress != nil {
				progress(done, len(files))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("corpus %s: %w", name, err)
	}
	documents, skipped := sortOut(verdicts)
	return newCorpus(name, root, tokenizer, documents, skipped)
}

func sortOut(verdicts []verdict) ([]textFile, Skipped) {
	var skipped Skipped
	var documents []textFile
	seen := map[[sha256.Size]byte]bool{}
	for _, v := range verdicts {
		switch {
		case v.skipped != nil:
			*v.skipped(&skipped)++
		case seen[v.document.Sum]:
			skipped.Duplicate++
		default:
			seen[v.document.Sum] = true
			documents = append(documents, v.document)
		}
	}
	slices.SortFunc(documents, func(a, b textFile) int { return cmp.Compare(a.Path, b.Path) })
	return documents, skipped
}

// generatedLine is how Go marks generated code (https://go.dev/s/generatedcode).
var generatedLine = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.\r?$`)

func isGenerated(text []byte) bool {
	return bytes.Contains(text, []byte("// Code generated ")) && generatedLine.Match(text) // the first is ten times as fast
}

// judge reads one file. There is no text of one that is skipped.
func judge(root, name string) (text []byte, v verdict) {
	skip := func(count func(*Skipped) *int) ([]byte, verdict) { return nil, verdict{skipped: count} }
	p := filepath.Join(root, filepath.FromSlash(name))
	stat, err := os.Stat(p)
	if err != nil {
		return skip(func(s *Skipped) *int { return &s.Unreadable })
	}
	if stat.Size() > maxDocument {
		return skip(func(s *Skipped) *int { return &s.Large })
	}
	text, err = os.ReadFile(p)
	switch {
	case err != nil:
		return skip(func(s *Skipped) *int { return &s.Unreadable })
	case len(bytes.TrimSpace(text)) == 0:
		return skip(func(s *Skipped) *int { return &s.Empty })
	case bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text):
		return skip(func(s *Skipped) *int { return &s.Binary })
	case path.Ext(name) == ".go" && isGenerated(text):
		return skip(func(s *Skipped) *int { return &s.Generated })
	}
	return text, verdict{document: textFile{Path: name, Bytes: int64(len(text)), Sum: sha256.Sum256(text)}}
}
