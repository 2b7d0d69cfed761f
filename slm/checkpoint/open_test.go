package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub"
	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub/hubtest"
)

// hubOf serves a model of random weights with some files beside it that are not needed, as repositories have them.
func hubOf(t *testing.T, repo string, c slm.Config) (*hubtest.Hub, Weights) {
	t.Helper()
	folder, w := folderOf(t, c)
	h := hubtest.New(repo, map[string][]byte{"README.md": []byte("a model"), "pytorch_model.bin": []byte("pickled"), "flax_model.msgpack": []byte("packed"),
		"onnx/model.onnx": []byte("graph"), "tokenizer.json": []byte(`{"added_tokens": []}`), "generation_config.json": []byte("{}")})
	t.Cleanup(h.Close)
	h.Files["config.json"], h.Files["model.safetensors"] = contentOf(t, folder, "config.json"), contentOf(t, folder, "model.safetensors")
	return h, w
}

func contentOf(t *testing.T, folder, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// optionsFor keep a hub's files in a cache of the test's own.
func optionsFor(t *testing.T, h *hubtest.Hub) Options {
	t.Helper()
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_TOKEN_PATH", filepath.Join(t.TempDir(), "none"))
	return Options{Hub: hub.Settings{Endpoint: h.URL, Cache: t.TempDir()}}
}

func TestOpenRepository(t *testing.T) {
	h, want := hubOf(t, "Owner/Tiny", tinyOf(slm.Qwen3))
	o := optionsFor(t, h)
	var done, total int64
	o.Progress = func(d, all int64) { done, total = d, all }
	var last hub.Progress
	o.Hub.Progress = func(p hub.Progress) { last = p }
	open := func(reference string, o Options) *Teacher {
		t.Helper()
		teacher, err := Open(t.Context(), reference, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { teacher.Close() })
		got, err := ReadAll(t.Context(), teacher.Source, teacher.Config)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the weights differ, %v", err)
		}
		return teacher
	}
	teacher := open("Owner/Tiny", o)
	if n := int64(len(h.Files["config.json"]) + len(h.Files["tokenizer.json"]) + len(h.Files["model.safetensors"])); done != n || total != n || last.Done != n {
		t.Errorf("progress to %d of %d, %+v, want %d", done, total, last, n)
	}
	if teacher.Config.Name != "tiny" || string(teacher.TokenizerJSON) != `{"added_tokens": []}` {
		t.Errorf("name %q, tokenizer %q", teacher.Config.Name, teacher.TokenizerJSON)
	}
	origin := Origin{Path: filepath.Join(o.Hub.Cache, "models--Owner--Tiny", "snapshots", h.Commit), Repository: "Owner/Tiny", Revision: h.Commit}
	for _, name := range []string{"config.json", "model.safetensors", "tokenizer.json"} {
		f := OriginFile{Name: name, Bytes: int64(len(h.Files[name])), path: filepath.Join(origin.Path, name)}
		if hubtest.Large(name) {
			f.SHA256 = hubtest.SHA256(h.Files[name]) // known without reading it
		}
		origin.Files = append(origin.Files, f)
	}
	if !reflect.DeepEqual(teacher.Origin, origin) {
		t.Errorf("origin\n%+v, want\n%+v", teacher.Origin, origin)
	}
	hash, err := teacher.Hash(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"msgpack", ".bin", "README", "onnx", "generation_config"} {
		if asked := h.Asked(name); len(asked) > 0 {
			t.Errorf("downloaded without need: %v", asked)
		}
	}
	// By its commit, and without a network.
	o.Progress, o.Hub.Progress = nil, nil
	open("Owner/Tiny@"+h.Commit, o)
	h.Close()
	o.Hub.Offline = true
	for _, reference := range []string{"Owner/Tiny", "Owner/Tiny@main", "Owner/Tiny@" + h.Commit} {
		again := open(reference, o)
		if other, err := again.Hash(t.Context()); err != nil || other != hash || again.Origin.Revision != h.Commit {
			t.Errorf("%s: hash %s, %v, want %s", reference, other, err, hash)
		}
	}
}

func TestOpenRepositoryInShards(t *testing.T) {
	folder, w := folderOf(t, tiny)
	inShards(t, folder, w, func(map[string]string, [2]Weights) {})
	h := hubtest.New("Owner/Tiny", map[string][]byte{})
	t.Cleanup(h.Close)
	for _, name := range []string{"config.json", "model.safetensors.index.json", "model-0.safetensors", "model-1.safetensors"} {
		h.Files[name] = contentOf(t, folder, name)
	}
	h.Files["other-1.safetensors"] = []byte("not of the index")
	o := optionsFor(t, h)
	teacher, err := Open(t.Context(), "Owner/Tiny", o)
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	if got, err := ReadAll(t.Context(), teacher.Source, teacher.Config); err != nil || !reflect.DeepEqual(got, w) {
		t.Errorf("the weights differ, %v", err)
	}
	if len(h.Asked("other-1")) > 0 {
		t.Error("a file was downloaded that is not in the index")
	}
	// An index that leads out of the repository.
	text, err := json.Marshal(object{"weight_map": object{"a": "../../evil.safetensors"}})
	if err != nil {
		t.Fatal(err)
	}
	h.Files["model.safetensors.index.json"], h.Commit = text, strings.Repeat("1", 40)
	if _, err := Open(t.Context(), "Owner/Tiny", o); err == nil || !strings.Contains(err.Error(), `"../../evil.safetensors", want a safetensors file in the same folder`) {
		t.Errorf("an index that leads out: %v", err)
	}
}

// TestOpenPublished asks the hub for the repository that a published name means.
func TestOpenPublished(t *testing.T) {
	h, _ := hubOf(t, "EleutherAI/pythia-14m", tinyOf(slm.GPTNeoX))
	o := optionsFor(t, h)
	teacher, err := Open(t.Context(), "Pythia-14M", o)
	if err != nil {
		t.Fatal(err)
	}
	teacher.Close()
	if teacher.Origin.Repository != "EleutherAI/pythia-14m" || teacher.Config.Name != "pythia-14m" {
		t.Errorf("repository %s, name %s", teacher.Origin.Repository, teacher.Config.Name)
	}
	_, err = Open(t.Context(), "pythia-14m@step1000", o)
	if !errors.Is(err, hub.ErrNoRevision) || !strings.Contains(err.Error(), `"step1000"`) || len(h.Asked("/EleutherAI/pythia-14m/revision/step1000")) != 1 {
		t.Errorf("a revision: %v", err)
	}
}

func TestOpenRepositoryRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		harm func(h *hubtest.Hub)
		is   error
		want []string
	}{
		{"only pickles", func(h *hubtest.Hub) { delete(h.Files, "model.safetensors") }, nil, []string{"pytorch_model.bin, a Python pickle", `from_pretrained("Owner/Tiny")`}},
		{"no weights", func(h *hubtest.Hub) {
			delete(h.Files, "model.safetensors")
			delete(h.Files, "pytorch_model.bin")
		}, nil, []string{"neither model.safetensors nor"}},
		{"no config.json", func(h *hubtest.Hub) { delete(h.Files, "config.json") }, hub.ErrNoFile, []string{"config.json"}},
		{"another repository", func(h *hubtest.Hub) { h.Repo = "Owner/Other" }, hub.ErrNoRepository, []string{"Owner/Tiny"}},
		{"restricted", func(h *hubtest.Hub) {
			h.API = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("X-Error-Code", "GatedRepo")
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
		}, hub.ErrDenied, []string{"accept its licence", "HF_TOKEN"}},
		{"a broken config.json", func(h *hubtest.Hub) { h.Files["config.json"] = []byte("{") }, nil, []string{"config.json: it is not a JSON object"}},
	} {
		h, _ := hubOf(t, "Owner/Tiny", tiny)
		test.harm(h)
		_, err := Open(t.Context(), "Owner/Tiny", optionsFor(t, h))
		if err == nil || (test.is != nil && !errors.Is(err, test.is)) {
			t.Errorf("%s: error %v, want one that is %v", test.name, err, test.is)
			continue
		}
		for _, want := range append(test.want, "teacher Owner/Tiny") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", test.name, err, want)
			}
		}
	}
}

// TestOpenIsCancelled stops a download; the next Open goes on with it.
func TestOpenIsCancelled(t *testing.T) {
	h, want := hubOf(t, "Owner/Tiny", tiny)
	o := optionsFor(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		if attempt > 1 {
			return false
		}
		content := h.Files["model.safetensors"]
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:len(content)/2])
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
		return true
	}
	if _, err := Open(ctx, "Owner/Tiny", o); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "opening was stopped") {
		t.Fatalf("error %v", err)
	}
	if _, err := Open(ctx, "Owner/Tiny", o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	teacher, err := Open(t.Context(), "Owner/Tiny", o)
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	if got, err := ReadAll(t.Context(), teacher.Source, teacher.Config); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the weights differ, %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := ReadAll(ctx, teacher.Source, teacher.Config); !errors.Is(err, context.Canceled) {
		t.Errorf("reading, cancelled: %v", err)
	}
}

func TestReferences(t *testing.T) {
	for reference, want := range map[string]hub.Repository{
		"EleutherAI/pythia-70m":          {Kind: hub.Models, ID: "EleutherAI/pythia-70m"},
		"EleutherAI/pythia-70m@step1000": {Kind: hub.Models, ID: "EleutherAI/pythia-70m", Revision: "step1000"},
		"a/b@refs/pr/1":                  {Kind: hub.Models, ID: "a/b", Revision: "refs/pr/1"},
		"pythia-70m":                     {Kind: hub.Models, ID: "EleutherAI/pythia-70m"},
		"SmolLM2-135M@main":              {Kind: hub.Models, ID: "HuggingFaceTB/SmolLM2-135M", Revision: "main"},
		"HuggingFaceTB/SmolLM2-1.7B":     {Kind: hub.Models, ID: "HuggingFaceTB/SmolLM2-1.7B"},
		"gpt2":                           {},
		"./a/b":                          {},
		"/a/b":                           {},
		"a/b/c":                          {},
		"teachers/x.gguf":                {},
		"folder/model.safetensors":       {},
		"../x/y":                         {},
		"":                               {},
		"https://huggingface.co/a/b":     {},
		"a/b/":                           {},
	} {
		if got, ok := repository(reference); got != want || ok != (want.ID != "") {
			t.Errorf("%q: %+v, %v, want %+v", reference, got, ok, want)
		}
	}
}

func TestOpenPaths(t *testing.T) {
	folder, want := folderOf(t, tiny)
	for _, path := range []string{folder, filepath.Join(folder, "model.safetensors")} {
		if teacher, got := openAll(t, path); teacher.Config.Name != "tiny" || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: name %q", path, teacher.Config.Name)
		}
	}
	if err := os.Rename(filepath.Join(folder, "model.safetensors"), filepath.Join(folder, "Best.safetensors")); err != nil {
		t.Fatal(err)
	}
	if teacher, got := openAll(t, filepath.Join(folder, "Best.safetensors")); teacher.Config.Name != "best" || !reflect.DeepEqual(got, want) {
		t.Errorf("another file: name %q", teacher.Config.Name)
	}
	// A folder wins over a repository of the same name.
	t.Chdir(filepath.Dir(folder))
	if err := errors.Join(os.Mkdir("Owner", 0o755), os.Rename("Tiny", "Owner/Tiny"), os.Rename("Owner/Tiny/Best.safetensors", "Owner/Tiny/model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if teacher, _ := openAll(t, "Owner/Tiny"); teacher.Origin.Repository != "" || teacher.Origin.Path != "Owner/Tiny" {
		t.Errorf("origin %+v", teacher.Origin)
	}
	for reference, want := range map[string][]string{
		"none.gguf":         {"no such file or folder", "lab setup"},
		"none":              {"no such file or folder", "pythia-70m", "by their repository"},
		"./none":            {"no such file or folder"},
		"model.bin":         {"no such file or folder"},
		"Owner":             {"config.json"},
		"Owner/Tiny/x.gguf": {"no such file or folder"},
	} {
		_, err := Open(t.Context(), reference, Options{})
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", reference, err)
			continue
		}
		for _, w := range append(want, "teacher "+reference) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %q lacks %q", reference, err, w)
			}
		}
	}
	save(t, ".", "pickled.bin", "x")
	save(t, ".", "text.txt", "a text")
	for reference, want := range map[string]string{"pickled.bin": "a Python pickle", "text.txt": `not a GGUF file (it begins with "a te")`} {
		if _, err := Open(t.Context(), reference, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", reference, err)
		}
	}
}
