package datasets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	parquetformat "github.com/parquet-go/parquet-go/format"
)

// readParquetFile is readParquet of a file.
func readParquetFile(path, column string, give give) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	return readParquet(file, stat.Size(), column, give)
}

// readParquet gives a column of a Parquet file with the numbers of the rows, from 0. Of the file only that column is read,
// page by page. A null is an empty text. An error names the row.
func readParquet(r io.ReaderAt, size int64, column string, give give) error {
	var chunks []parquet.ColumnChunk
	var ends []int64
	err := guarded(func() (err error) { chunks, ends, err = openParquet(r, size, column); return err })
	if err != nil {
		return err
	}
	row := int64(0)
	for i, chunk := range chunks {
		more, err := readChunk(chunk, &row, give)
		if err == nil && more && row != ends[i] {
			err = damagedParquet(fmt.Errorf("it lists %d rows up to here", ends[i]))
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// openParquet finds a column's part in each row group, and the number of the row behind each.
func openParquet(r io.ReaderAt, size int64, column string) (chunks []parquet.ColumnChunk, ends []int64, err error) {
	if err := checkFooter(r, size); err != nil {
		return nil, nil, damagedParquet(err)
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(256<<10))
	if err != nil {
		return nil, nil, damagedParquet(err)
	}
	index, err := textColumn(file.Root(), column)
	if err != nil {
		return nil, nil, err
	}
	end := int64(0)
	for i, group := range file.RowGroups() {
		if err := checkCodec(file.Metadata().RowGroups[i].Columns[index].MetaData.Codec); err != nil {
			return nil, nil, err
		}
		end += group.NumRows()
		chunks, ends = append(chunks, group.ColumnChunks()[index]), append(ends, end)
	}
	return chunks, ends, nil
}

// checkCodec refuses LZ4, since the library takes all memory there is for a damaged page of it, which ends the program.
func checkCodec(codec parquetformat.CompressionCodec) error {
	if codec == parquetformat.Lz4Raw {
		return errors.New("it is compressed with LZ4, which is not read here; write it with Zstandard or Snappy")
	}
	return nil
}

// checkFooter reports a file whose end is not that of a Parquet file, since the library would make room for what it claims.
func checkFooter(r io.ReaderAt, size int64) error {
	var end [8]byte // the length of the metadata before it, and a word
	if _, err := r.ReadAt(end[:], max(0, size-int64(len(end)))); err != nil {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(end[:4]))
	if string(end[4:]) != "PAR1" || length > size-int64(len(end)) {
		return errors.New("its end is missing")
	}
	return nil
}

// guarded calls the library, which panics on some damaged files.
func guarded(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = damagedParquet(fmt.Errorf("%v", p))
		}
	}()
	return read()
}

var errDamaged = errors.New("the Parquet file is damaged or cut short; get it again")

func damagedParquet(err error) error {
	if errors.Is(err, errDamaged) {
		return err
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// textColumn finds a column of texts, and its place among the leaves.
func textColumn(root *parquet.Column, name string) (int, error) {
	var names []string
	for _, c := range root.Columns() {
		if c.Name() != name {
			names = append(names, c.Name())
			continue
		}
		if !c.Leaf() || c.Repeated() || c.Type().Kind() != parquet.ByteArray {
			return 0, fmt.Errorf("column %q holds %s, not text; name another with Column", name, columnType(c))
		}
		return c.Index(), nil
	}
	return 0, noColumn(name, names)
}

// columnType names the type of values as Parquet does.
func columnType(c *parquet.Column) string {
	switch {
	case !c.Leaf():
		return "lists or structures"
	case c.Repeated():
		return "lists"
	}
	return c.Type().String()
}

// readChunk gives the texts of one column of a row group, and reports whether more are wanted. row counts them.
func readChunk(chunk parquet.ColumnChunk, row *int64, give give) (more bool, err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	for {
		var page parquet.Page
		err := guarded(func() (err error) { page, err = pages.ReadPage(); return err })
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, damagedParquet(err)
		}
		more, err := readPage(page, row, give)
		parquet.Release(page)
		if err != nil || !more {
			return false, err
		}
	}
}

// readPage is readChunk of one of its pages.
func readPage(page parquet.Page, row *int64, give give) (more bool, err error) {
	var some [64]parquet.Value
	var values parquet.ValueReader
	for {
		n := 0
		end := guarded(func() (err error) {
			if values == nil {
				values = page.Values()
			}
			n, err = values.ReadValues(some[:])
			return err
		})
		for _, v := range some[:n] {
			text := v.ByteArray()
			if !utf8.Valid(text) {
				return false, errors.New("its text is not UTF-8; name a column with text")
			}
			if !give(*row, string(text)) {
				return false, nil
			}
			*row++
		}
		if end == io.EOF {
			return true, nil
		}
		if end != nil {
			return false, damagedParquet(end)
		}
	}
}
