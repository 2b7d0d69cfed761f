package checkpoint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Teacher is a pretrained model whose files are open: its weights are read when they are asked for. Close ends that.
type Teacher struct {
	Config        slm.Config
	Source        Source     // the weights, as float32 whatever the files store
	Vocabulary    Vocabulary // of a GGUF
	TokenizerJSON []byte     // of a folder or repository; nil when it has none
	EOS           int        // the id of the token that ends a text; -1 when none is named
	Origin        Origin
	Bytes         int64 // of the files that hold the weights

	files io.Closer
}

// Origin says where a teacher came from, precisely enough to get the same one again.
type Origin struct {
	Path       string       `json:"path,omitzero"`       // the file or folder on this machine
	Repository string       `json:"repository,omitzero"` // "owner/name"; empty for files that were there
	Revision   string       `json:"revision,omitzero"`   // the hash of the repository's commit
	Files      []OriginFile `json:"files"`               // in order of their names
}

// OriginFile is one of the files that make a teacher.
type OriginFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitzero"` // in hexadecimal; empty until it is known, see [Teacher.Hash]

	path string
}

// Hash identifies the teacher's content in hexadecimal: the SHA-256 of its file, or, where several files make it, that of
// their lines "hash  name" as sha256sum prints them. Hashes that are not known yet are computed and noted in the Origin;
// those of large files of a repository are known. It may run beside the reading of the weights.
func (t *Teacher) Hash(ctx context.Context) (string, error) {
	list := sha256.New()
	for i := range t.Origin.Files {
		file := &t.Origin.Files[i]
		if file.SHA256 == "" {
			hash, err := hashFile(ctx, file.path)
			if err != nil {
				return "", fmt.Errorf("hash of teacher %s: %w", t.Config.Name, err)
			}
			file.SHA256 = hash
		}
		fmt.Fprintf(list, "%s  %s\n", file.SHA256, file.Name)
	}
	if len(t.Origin.Files) == 1 {
		return t.Origin.Files[0].SHA256, nil
	}
	return hex.EncodeToString(list.Sum(nil)), nil
}

// Close ends the reading of the weights.
func (t *Teacher) Close() error {
	if t.files == nil { // not from Open
		return nil
	}
	return t.files.Close()
}

// originFiles notes files of a folder, in order of their names.
func originFiles(folder string, names ...string) ([]OriginFile, error) {
	files := make([]OriginFile, 0, len(names))
	for _, name := range names {
		stat, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		files = append(files, OriginFile{Name: name, Bytes: stat.Size(), path: filepath.Join(folder, name)})
	}
	slices.SortFunc(files, func(a, b OriginFile) int { return cmp.Compare(a.Name, b.Name) })
	return files, nil
}

// hashFile is the SHA-256 of a file in hexadecimal.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	buffer := make([]byte, 1<<20)
	for {
		n, err := f.Read(buffer)
		h.Write(buffer[:n])
		switch {
		case err == io.EOF:
			return hex.EncodeToString(h.Sum(nil)), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		}
	}
}
