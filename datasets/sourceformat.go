package datasets

import (
	"path"
	"strings"
)

// format is how a file holds documents.
type format int

const (
	textFormat    format = iota // the whole file is one, or parts of it when it is long
	linesFormat                 // JSON Lines: an object on each line
	parquetFormat               // Parquet: a row each
)

// compression is how a file is packed: "", "gzip" or "zstd".
type compression string

var (
	formats = map[string]format{
		".txt": textFormat, ".text": textFormat, ".md": textFormat, ".markdown": textFormat,
		".jsonl": linesFormat, ".ndjson": linesFormat, ".jsonlines": linesFormat, ".json-lines": linesFormat,
		".parquet": parquetFormat,
	}
	compressions = map[string]compression{".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
)

// formatOf tells a file's format by its name, and whether the name says it. A .json is JSON Lines when it is packed, as the
// large corpora write it; else it may be anything.
func formatOf(name string) (format, compression, bool) {
	name = strings.ToLower(name)
	packed, ok := compressions[path.Ext(name)]
	if ok {
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	f, known := formats[path.Ext(name)]
	switch {
	case ok && path.Ext(name) == ".json":
		return linesFormat, packed, true
	case ok && (f == parquetFormat || !known): // such as .tar.gz
		return textFormat, "", false
	}
	return f, packed, known
}
