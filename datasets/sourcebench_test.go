package datasets

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/offshoot-ml/offshoot/slm"
)

// BenchmarkDocuments reads 32 MB of text in documents of about 2 kB, from each kind of file; MB/s are of text.
func BenchmarkDocuments(b *testing.B) {
	const documents = 16_000
	text := strings.Repeat("\"Once upon a time\", she said, there was a model.\n", 41)
	var rows []parquetRow
	var lines strings.Builder
	files := map[string]string{}
	for i := range documents {
		row := parquetRow{ID: int64(i), Text: fmt.Sprintf("%d %s", i, text)}
		line, _ := json.Marshal(map[string]any{"id": i, "text": row.Text, "url": "https://example.org/a/page"})
		lines.Write(append(line, '\n'))
		rows = append(rows, row)
		files[fmt.Sprintf("text/%03d/%d.txt", i%100, i)] = row.Text
	}
	files["lines/a.jsonl"], files["gzip/a.jsonl.gz"], files["zstd/a.jsonl.zst"] = lines.String(), gzipped(lines.String()), zstandard(lines.String())
	files["parquet/a.parquet"] = string(parquetBytes(b, 1000, rows, parquet.Compression(&parquet.Snappy)))
	root := folderOf(b, files)
	for _, kind := range []string{"text", "lines", "gzip", "zstd", "parquet"} {
		b.Run(kind, func(b *testing.B) {
			source := openTest(b, slm.Data{Paths: []string{filepath.Join(root, kind)}})
			for b.Loop() {
				size := 0
				for d, err := range source.Documents(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					size += len(d.Text)
				}
				b.SetBytes(int64(size))
			}
		})
	}
}

// TestLargeFilesStayOnDisk reads a file much larger than what is held of it.
func TestLargeFilesStayOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.jsonl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for range 64 {
		if _, err := file.WriteString(linesOf(100, 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	s := openTest(t, slm.Data{Paths: []string{path}})
	most := uint64(0)
	n := 0
	before := heapInUse()
	for _, err := range s.Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%1000 == 0 {
			most = max(most, heapInUse())
		}
	}
	if n != 6400 || most > before+8<<20 {
		t.Errorf("%d documents, %d MiB held of 61", n, (most-before)>>20)
	}
}

// heapInUse is how many bytes are reachable.
func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
