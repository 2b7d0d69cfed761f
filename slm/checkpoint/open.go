package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
)

// Options of [Open]. The zero value follows the environment as Python's huggingface_hub does.
type Options struct {
	Hub      hub.Settings            // where repositories come from and where they are kept
	Progress func(done, total int64) // told how many of the bytes to fetch are there; Hub.Progress is told more
}

// Open opens a teacher:
//   - a GGUF file, by its path;
//   - a folder as transformers writes it, with config.json, safetensors in one file or several with their index, and
//     usually tokenizer.json; or the safetensors file in such a folder;
//   - a repository on the hub, "owner/name" or "owner/name@revision": what it lacks of these files is downloaded into the
//     cache that Python's huggingface_hub uses, and the commit is noted in the Origin;
//   - a published architecture, by its name or with a revision, such as "pythia-70m@step1000".
//
// A path wins over a repository of the same name. The tensors' names, shapes and types are checked against the architecture
// before Open returns; their values are read when the Source is asked for them. The error says what to do next; a cancelled
// context ends a download, and the next Open goes on with it.
func Open(ctx context.Context, reference string, o Options) (*Teacher, error) {
	t, err := open(ctx, reference, o)
	switch {
	case err == nil:
		return t, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("teacher %s: opening was stopped: %w", reference, context.Cause(ctx))
	case cutShort(err):
		return nil, fmt.Errorf("teacher %s is cut short: %w; delete the file and fetch it again%s", reference, err, setupAdvice(reference))
	}
	return nil, fmt.Errorf("teacher %s cannot be used: %w", reference, err)
}

func open(ctx context.Context, reference string, o Options) (*Teacher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stat, err := os.Stat(reference)
	switch {
	case err == nil && stat.IsDir():
		return openFolder(reference, "", folderName(reference))
	case err == nil:
		return openFile(reference)
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	repo, ok := repository(reference)
	if !ok {
		return nil, fmt.Errorf("there is no such file or folder%s; published models are %s, others are found by their repository, such as EleutherAI/pythia-70m: %w",
			setupAdvice(reference), strings.Join(slm.PublishedNames(), ", "), err)
	}
	return openRepository(ctx, repo, o)
}

// setupAdvice says where the quickstart's teacher comes from.
func setupAdvice(reference string) string {
	if filepath.Ext(reference) != ".gguf" {
		return ""
	}
	return " (the quickstart's comes with: go run ./kernelext/lab setup)"
}

func openFile(path string) (*Teacher, error) {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	switch filepath.Ext(path) {
	case ".safetensors":
		name := strings.ToLower(stem)
		if filepath.Base(path) == weightsFile {
			name = folderName(filepath.Dir(path))
		}
		return openFolder(filepath.Dir(path), filepath.Base(path), name)
	case ".bin", ".pt", ".pth":
		return nil, noSafetensors([]string{filepath.Base(path)}, filepath.Dir(path))
	}
	g, err := openGGUF(path, strings.ToLower(stem))
	if err != nil {
		return nil, err
	}
	return &Teacher{Config: g.config, Source: g, Vocabulary: g.vocabulary, EOS: g.vocabulary.EOS, Bytes: g.size, files: g,
		Origin: Origin{Path: path, Files: []OriginFile{{Name: filepath.Base(path), Bytes: g.size, path: path}}}}, nil
}

// folderName is a folder's own name.
func folderName(folder string) string {
	if absolute, err := filepath.Abs(folder); err == nil {
		folder = absolute
	}
	return strings.ToLower(filepath.Base(folder))
}

// repository reads a reference as a repository's name, or a published architecture's, with or without a revision.
func repository(reference string) (hub.Repository, bool) {
	id, revision, _ := strings.Cut(reference, "@")
	if published := slm.Repository(id); published != "" {
		id = published
	}
	if !strings.Contains(id, "/") || !hub.IsID(id) || slices.Contains([]string{".gguf", ".safetensors", ".bin"}, filepath.Ext(id)) {
		return hub.Repository{}, false
	}
	return hub.Repository{Kind: hub.Models, ID: id, Revision: revision}, true
}

// openRepository downloads what the cache lacks of a model, and opens it there.
func openRepository(ctx context.Context, repo hub.Repository, o Options) (*Teacher, error) {
	settings := o.Hub
	settings.Progress = func(p hub.Progress) {
		if o.Progress != nil {
			o.Progress(p.Done, p.Total)
		}
		if o.Hub.Progress != nil {
			o.Hub.Progress(p)
		}
	}
	client, err := hub.New(settings)
	if err != nil {
		return nil, err
	}
	snapshot, err := client.Open(ctx, repo)
	if err != nil {
		return nil, err
	}
	if err := fetchModel(ctx, snapshot, repo.ID); err != nil {
		return nil, err
	}
	t, err := openFolder(snapshot.Folder(), "", strings.ToLower(repo.ID[strings.LastIndex(repo.ID, "/")+1:]))
	if err != nil {
		return nil, err
	}
	t.Origin.Repository, t.Origin.Revision = repo.ID, snapshot.Commit
	for i := range t.Origin.Files { // the hub's hashes were checked
		if f, ok := snapshot.Find(t.Origin.Files[i].Name); ok {
			t.Origin.Files[i].SHA256 = f.SHA256
		}
	}
	return t, nil
}

// fetchModel gets the files that openFolder reads, and no others.
func fetchModel(ctx context.Context, snapshot *hub.Snapshot, id string) error {
	names := make([]string, len(snapshot.Files))
	for i, f := range snapshot.Files {
		names[i] = f.Name
	}
	small := slices.DeleteFunc([]string{configFile, tokenizerFile, tokenizerConfigFile, indexFile},
		func(name string) bool { return name != configFile && !slices.Contains(names, name) })
	if slices.Contains(names, weightsFile) {
		return snapshot.Fetch(ctx, append(slices.DeleteFunc(small, func(name string) bool { return name == indexFile }), weightsFile)...)
	}
	if !slices.Contains(names, indexFile) {
		return noSafetensors(names, id)
	}
	if err := snapshot.Fetch(ctx, small...); err != nil {
		return err
	}
	text, err := os.ReadFile(snapshot.Path(indexFile))
	if err != nil {
		return err
	}
	_, shards, err := parseIndex(text)
	if err != nil {
		return fmt.Errorf("%s: %w", indexFile, err)
	}
	return snapshot.Fetch(ctx, shards...)
}
