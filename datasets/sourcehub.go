package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
)

// hubSource gives the documents of one split of a data set of the hub. A file is downloaded when it is its turn.
//
// A document's ID is the file's address as Python's libraries write it, hf://datasets/owner/name/path, and the line or row.
type hubSource struct {
	data     slm.Data
	snapshot *hub.Snapshot
	files    []string
	ahead    bool
}

// convertedBranch is where the hub puts what it converted to Parquet.
const convertedBranch = "refs/convert/parquet"

func openHub(ctx context.Context, data slm.Data, o Options) (*hubSource, error) {
	client, err := hub.New(o.Hub)
	if err != nil {
		return nil, err
	}
	snapshot, configs, err := hubLayout(ctx, client, data)
	if err != nil {
		return nil, err
	}
	data.Split, data.Column = cmp.Or(data.Split, defaultSplit), cmp.Or(data.Column, textColumnName)
	config, split, err := choose(configs, data.Config, data.Split)
	if err == nil && snapshot.Partial {
		err = complete(split)
	}
	if err != nil {
		return nil, err
	}
	data.Revision, data.Config = snapshot.Commit, config
	return &hubSource{data, snapshot, split.files, o.Ahead}, nil
}

// hubLayout finds the files of a data set. Where it has none that can be read, those that the hub converted do.
func hubLayout(ctx context.Context, client *hub.Client, data slm.Data) (*hub.Snapshot, []hubConfig, error) {
	snapshot, configs, err := layoutAt(ctx, client, data.Name, data.Revision)
	if err != nil || len(configs) > 0 {
		return snapshot, configs, err
	}
	unreadable := fmt.Errorf("it has no files of Parquet, JSON Lines or text (it has %s)", endings(snapshot.Files))
	if data.Revision != "" && data.Revision != "main" {
		return nil, nil, unreadable
	}
	snapshot, configs, err = layoutAt(ctx, client, data.Name, convertedBranch)
	if errors.Is(err, hub.ErrNoRevision) || err == nil && len(configs) == 0 {
		return nil, nil, fmt.Errorf("%w, and the hub has not converted them; convert them yourself, and give them as Paths", unreadable)
	}
	return snapshot, configs, err
}

func layoutAt(ctx context.Context, client *hub.Client, name, revision string) (*hub.Snapshot, []hubConfig, error) {
	snapshot, err := client.Open(ctx, hub.Repository{Kind: hub.Datasets, ID: name, Revision: revision})
	if err != nil {
		return nil, nil, err
	}
	readme, err := readReadme(ctx, snapshot)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(snapshot.Files))
	for i, f := range snapshot.Files {
		names[i] = f.Name
	}
	slices.Sort(names)
	configs, err := layoutOf(readme, names)
	return snapshot, configs, err
}

func readReadme(ctx context.Context, snapshot *hub.Snapshot) ([]byte, error) {
	const name = "README.md"
	if _, ok := snapshot.Find(name); !ok {
		return nil, nil
	}
	if err := snapshot.Fetch(ctx, name); err != nil {
		return nil, err
	}
	return os.ReadFile(snapshot.Path(name))
}

// endings are those of files' names, to tell what a data set has.
func endings(files []hub.File) string {
	var found []string
	for _, f := range files {
		if e := path.Ext(f.Name); e != "" && !strings.HasPrefix(path.Base(f.Name), ".") && !slices.Contains(found, e) {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return "none"
	}
	slices.Sort(found)
	return strings.Join(found[:min(10, len(found))], ", ")
}

// Data has the commit as its revision, and the config and split that were found.
func (s *hubSource) Data() slm.Data { return s.data }

func (s *hubSource) Documents(ctx context.Context) iter.Seq2[Document, error] {
	return documentsOf(ctx, s.data, func(yield func(sourceFile, error) bool) {
		stop := func() {}
		defer func() { stop() }()
		for i, name := range s.files {
			err := s.snapshot.Fetch(ctx, name)
			stop()
			if s.ahead && err == nil && i+1 < len(s.files) {
				stop = s.fetchAhead(ctx, s.files[i+1])
			}
			if !yield(s.file(name), err) {
				return
			}
		}
	})
}

func (s *hubSource) file(name string) sourceFile {
	format, packed, _ := hubFormat(name)
	return sourceFile{path: s.snapshot.Path(name), name: name, id: "hf://datasets/" + s.data.Name + "/" + name, format: format, packed: packed}
}

// fetchAhead downloads a file meanwhile, until it is told to stop. If it fails, the Fetch in the file's turn says why.
func (s *hubSource) fetchAhead(ctx context.Context, name string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.snapshot.Fetch(ctx, name)
	}()
	return func() { cancel(); <-done }
}
