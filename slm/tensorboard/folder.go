package tensorboard

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// filePrefix begins the names of files of events. A time follows, so that readers take them in the order in which they began.
const filePrefix = "events.out.tfevents."

// create begins a file after those that are there.
func (w *Writer) create(at time.Time) error {
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return err
	}
	names, err := eventFiles(w.dir)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	for seconds := at.Unix(); ; seconds++ {
		name := fmt.Sprintf("%s%010d.%s.%d", filePrefix, seconds, host, os.Getpid())
		if len(names) > 0 && name <= names[len(names)-1] {
			continue
		}
		w.file, err = os.OpenFile(filepath.Join(w.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
		return err
	}
}

// eventFiles are the names of a folder's files of events, in their order.
func eventFiles(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filePrefix) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// readFolder reads the summaries that a reader of the folder sees, by their steps; none where there is no folder.
func readFolder(dir string) (map[int64][]byte, error) {
	seen := map[int64][]byte{}
	names, err := eventFiles(dir)
	if os.IsNotExist(err) {
		return seen, nil
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		readEvents(text, seen)
	}
	return seen, err
}

// readEvents adds the summaries of a file's events, as far as it is whole.
func readEvents(text []byte, seen map[int64][]byte) {
	for data, rest, ok := cutRecord(text); ok; data, rest, ok = cutRecord(rest) {
		e, ok := parseEvent(data)
		if !ok {
			return
		}
		if e.start {
			maps.DeleteFunc(seen, func(step int64, _ []byte) bool { return step >= e.step })
		}
		if e.summary != nil {
			seen[e.step] = slices.Clone(e.summary)
		}
	}
}
