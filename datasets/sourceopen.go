package datasets

import (
	"context"
	"fmt"
	"sync"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
)

// Options of [Open]. The zero value follows the environment as Python's huggingface_hub does.
type Options struct {
	Hub   hub.Settings // where data sets come from and where they are kept; Progress is told about one file at a time
	Ahead bool         // download the next file of a data set while one is read
}

// Open opens any data: the Go installation's text, files and folders, a data set of the hub, or a mixture. It finds out
// which files there are; their text is read when [Source.Documents] gets to it, and a data set's files are downloaded then.
//
// In a mixture, a weight is a share of the bytes of text. Parts that are used up begin again; the mixture ends when each was
// given whole at least once.
//
// A document without anything but white space is left out. A source without any document ends with an error. A line of JSON
// has at most 256 MiB; a file of text of more than 8 MiB is given in parts, which end with a paragraph or a line.
//
// The ID of a document is the path of its file below the deepest folder that holds all paths, or below GOROOT, or for a data
// set its address hf://datasets/owner/name/path, and then a colon and the line from 1, the row of Parquet from 0, or the
// part from 1 of a long text. In a mixture, where two parts are both files of one's own, or both of one data set, those of
// the later one begin with its number, as in "part 1: ".
//
// An error says what is wrong with the data and what to do next: paths that do not exist, a data set, config or split that
// is not there (with those that are), one that needs a token, or that is not in the cache while there is no network.
func Open(ctx context.Context, data slm.Data, o Options) (Source, error) {
	if err := data.Validate(); err != nil {
		return nil, err
	}
	o.Hub.Progress = oneAtATime(o.Hub.Progress)
	source, err := openSource(ctx, data, o)
	if err != nil {
		return nil, fmt.Errorf("data %s: %w", data, err)
	}
	return source, nil
}

func openSource(ctx context.Context, data slm.Data, o Options) (Source, error) {
	switch {
	case len(data.Mixture) > 0:
		return openMixture(ctx, data, o)
	case data.Name != "":
		return openHub(ctx, data, o)
	case len(data.Paths) > 0:
		return openPaths(data)
	}
	return openGoRoot(ctx)
}

// oneAtATime keeps calls apart, since files may be downloaded at the same time.
func oneAtATime(progress func(hub.Progress)) func(hub.Progress) {
	if progress == nil {
		return nil
	}
	var lock sync.Mutex
	return func(p hub.Progress) {
		lock.Lock()
		defer lock.Unlock()
		progress(p)
	}
}
