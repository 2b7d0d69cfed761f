package slm

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// tableSuffixes are those of the files that package slm/table writes.
var tableSuffixes = []string{".csv", ".parquet", ".json"}

// CheckTable reports a file name whose suffix says no format in which package slm/table writes a population.
func CheckTable(path string) error {
	if suffix := strings.ToLower(filepath.Ext(path)); !slices.Contains(tableSuffixes, suffix) {
		return fmt.Errorf("table %q: its suffix says no format; want one of %s, such as population%s", path, strings.Join(tableSuffixes, ", "), tableSuffixes[1])
	}
	return nil
}
