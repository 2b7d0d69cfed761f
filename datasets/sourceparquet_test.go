package datasets

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

type parquetRow struct {
	ID    int64    `parquet:"id"`
	Text  string   `parquet:"text"`
	Other *string  `parquet:"other,optional,dict"`
	Tags  []string `parquet:"tags"`
}

// parquetBytes is a file of some rows in row groups of a few each.
func parquetBytes[T any](t testing.TB, each int, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	for group := range slices.Chunk(rows, each) {
		if _, err := w.Write(group); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parquetRows(n int) (rows []parquetRow) {
	other := "again"
	for i := range n {
		rows = append(rows, parquetRow{ID: int64(i), Text: fmt.Sprintf("text %d ä", i), Tags: []string{"a", "b"}})
		if i%2 == 0 {
			rows[i].Other = &other
		}
	}
	return rows
}

func TestReadParquet(t *testing.T) {
	for _, codec := range []parquet.WriterOption{parquet.Compression(&parquet.Snappy), parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1)} {
		b := parquetBytes(t, 70, parquetRows(200), codec)
		for column, want := range map[string]string{"text": "199 text 199 ä", "other": "199 "} {
			var got []string
			if err := readParquet(bytes.NewReader(b), int64(len(b)), column, collect(&got)); err != nil {
				t.Fatal(err)
			}
			if len(got) != 200 || got[199] != want || got[0][:2] != "0 " || column == "other" && got[70] != "70 again" {
				t.Errorf("%s: %d rows, the last is %q", column, len(got), got[len(got)-1])
			}
		}
	}
}

// TestReadParquetStops leaves the later row groups of a file alone.
func TestReadParquetStops(t *testing.T) {
	b := parquetBytes(t, 1000, parquetRows(100_000))
	r := &countingReader{Reader: bytes.NewReader(b)}
	seen := 0
	err := readParquet(r, int64(len(b)), "text", func(int64, string) bool { seen++; return seen < 3 })
	if err != nil || seen != 3 || r.read > len(b)/2 {
		t.Errorf("%d rows, %d of %d bytes, %v", seen, r.read, len(b), err)
	}
}

type countingReader struct {
	*bytes.Reader
	read int
}

func (r *countingReader) ReadAt(b []byte, at int64) (int, error) {
	n, err := r.Reader.ReadAt(b, at)
	r.read += n
	return n, err
}

func TestReadParquetRefuses(t *testing.T) {
	whole := parquetBytes(t, 70, parquetRows(200))
	binary := parquetBytes(t, 70, []parquetRow{{Text: "fine"}, {Text: "\xff"}})
	spoiled := bytes.Clone(whole)
	for i := 4; i < 2000; i++ {
		spoiled[i] ^= 0x55
	}
	for _, test := range []struct {
		name, column string
		file         []byte
		want         []string
	}{
		{"another column", "content", whole, []string{`no column "content"`, "id, text, other, tags"}},
		{"numbers", "id", whole, []string{`column "id" holds INT`, "not text"}},
		{"lists", "tags", whole, []string{`column "tags" holds lists`}},
		{"nothing", "text", nil, []string{"damaged or cut short"}},
		{"no Parquet", "text", []byte(strings.Repeat("text ", 100)), []string{"damaged or cut short"}},
		{"cut", "text", whole[:len(whole)-100], []string{"damaged or cut short"}},
		{"spoiled", "text", spoiled, []string{"row 0: ", "damaged or cut short"}},
		{"LZ4", "text", parquetBytes(t, 70, parquetRows(1), parquet.Compression(&parquet.Lz4Raw)), []string{"compressed with LZ4", "write it with Zstandard"}},
		{"binary", "text", binary, []string{"row 1: ", "not UTF-8"}},
	} {
		err := readParquet(bytes.NewReader(test.file), int64(len(test.file)), test.column, func(int64, string) bool { return true })
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", test.name, err, want)
			}
		}
	}
}

// TestReadParquetPassesPanics on that are not the library's.
func TestReadParquetPassesPanics(t *testing.T) {
	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("recovered %v", p)
		}
	}()
	b := parquetBytes(t, 70, parquetRows(1))
	_ = readParquet(bytes.NewReader(b), int64(len(b)), "text", func(int64, string) bool { panic("mine") })
}

// FuzzReadParquet wants rows in order, or an error, from any file.
func FuzzReadParquet(f *testing.F) {
	f.Add(parquetBytes(f, 2, parquetRows(3)))
	f.Add(parquetBytes(f, 2, parquetRows(3), parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1)))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, column := range []string{"text", "other"} {
			want := int64(0)
			_ = readParquet(bytes.NewReader(file), int64(len(file)), column, func(number int64, _ string) bool {
				if number != want {
					t.Errorf("row %d, want %d", number, want)
				}
				want++
				return true
			})
		}
	})
}
