// Package table writes a population as a table, a row for each candidate, that a spreadsheet, pandas, DuckDB and their like
// read: CSV, Parquet or JSON. Cells do not link it; [github.com/offshoot-ml/offshoot/kernelext.Found.Save] has the host encode.
package table

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// Write writes a population into a file, in the format that its suffix names. The file appears as a whole or not at all, in
// the place of what was there.
func Write(path string, p slm.Population) error {
	if err := slm.CheckTable(path); err != nil { // before there is a file
		return err
	}
	err := atomicfile.Write(path, 0o644, func(file io.Writer) error {
		out := bufio.NewWriter(file)
		return errors.Join(Encode(out, path, p), out.Flush())
	})
	if err != nil {
		return fmt.Errorf("table %s: %w", path, err)
	}
	return nil
}

// Encode writes what is in such a file, in the format that the suffix of its name says.
func Encode(w io.Writer, name string, p slm.Population) error {
	if err := slm.CheckTable(name); err != nil {
		return err
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return writeCSV(w, p)
	case ".parquet":
		return writeParquet(w, p)
	}
	return writeJSON(w, p)
}

// writeCSV writes a line of column names and one for each candidate. A list is a cell of JSON, what is unknown an empty one.
func writeCSV(w io.Writer, p slm.Population) error {
	out := csv.NewWriter(w)
	header := make([]string, reflect.TypeFor[row]().NumField())
	for i := range header {
		header[i] = reflect.TypeFor[row]().Field(i).Tag.Get("json")
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, r := range rows(p) {
		cells := make([]string, len(header))
		for i := range cells {
			cell, err := csvCell(reflect.ValueOf(r).Field(i).Interface())
			if err != nil {
				return err
			}
			cells[i] = cell
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvCell is a value's JSON, without a string's quotes.
func csvCell(value any) (cell string, err error) {
	text, err := json.Marshal(value)
	switch {
	case err != nil || string(text) == "null":
		return "", err
	case text[0] == '"':
		return cell, json.Unmarshal(text, &cell)
	}
	return string(text), nil
}

// writeJSON writes an array with a candidate on each line.
func writeJSON(w io.Writer, p slm.Population) error {
	separator := "[\n"
	for _, r := range rows(p) {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s%s", separator, text); err != nil {
			return err
		}
		separator = ",\n"
	}
	if separator == "[\n" {
		_, err := io.WriteString(w, "[]\n")
		return err
	}
	_, err := io.WriteString(w, "\n]\n")
	return err
}

// writeParquet writes lists as lists and what is unknown as null. The file's metadata say what was searched.
func writeParquet(w io.Writer, p slm.Population) error {
	p, all := slm.Population{Name: p.Name, Teacher: p.Teacher, Search: p.Search, Held: p.Held, Candidates: []slm.Candidate{}}, rows(p)
	about, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return parquet.Write(w, all, parquet.Compression(&parquet.Zstd), parquet.KeyValueMetadata("offshoot", string(about)))
}
