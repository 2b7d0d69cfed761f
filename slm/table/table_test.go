package table

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/offshoot-ml/offshoot/slm"
)

func population(t *testing.T) slm.Population {
	t.Helper()
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	subnet := slm.Subnet{Embd: slm.First(192), Layers: []slm.LayerSubnet{{Layer: 3}, {Layer: 7, FFN: slm.First(64)}}}
	when := time.Date(2026, 11, 24, 13, 57, 26, 123456000, time.UTC)
	return slm.Population{Name: "30M, the \"first\"", Teacher: teacher, Search: slm.Search{Seed: 1<<64 - 1, Halving: slm.Halving{Rungs: 2, Keep: 0.5}},
		Candidates: []slm.Candidate{
			{ID: 0, Origin: "random", Subnet: subnet, Parameters: 30e6, FLOPs: 60e6, KVBytes: 768, Loss: 3.25, Rungs: []float64{3.5, 3.25}, Untrained: 9.5,
				Latency: 0.375, Seconds: 1.5, Evaluated: when},
			{ID: 1, Generation: 2, Origin: "crossover", Parents: []int{0, 3}, Parameters: 29e6, Loss: 1000, Rungs: []float64{1000}, Evaluated: when},
			{ID: 2, Origin: "random", Parameters: 28e6, Loss: math.Inf(1), Rungs: []float64{5, math.Inf(1)}, Failure: "its loss is NaN", Evaluated: when},
		}}
}

func number(v float64) *float64 { return &v }

// want are the rows of that population.
func want(p slm.Population) []row {
	when, failure := p.Candidates[0].Evaluated, "its loss is NaN"
	return []row{
		{Search: p.Name, Seed: 1<<64 - 1, Origin: "random", Parents: []int64{}, Parameters: 30e6, FLOPs: 60e6, KVBytes: 768, Loss: number(3.25),
			Perplexity: number(p.Candidates[0].Perplexity()), Untrained: number(9.5), Rungs: []*float64{number(3.5), number(3.25)}, Latency: number(0.375), Seconds: 1.5, Evaluated: when, Layers: 2, Embd: 192,
			Subnet: `{"embd":"0-191","layers":[{"layer":3},{"layer":7,"ffn":"0-63"}]}`},
		{Search: p.Name, Seed: 1<<64 - 1, ID: 1, Generation: 2, Origin: "crossover", Parents: []int64{0, 3}, Parameters: 29e6, Loss: number(1000),
			Rungs: []*float64{number(1000)}, Evaluated: when, Layers: 30, Embd: 576, Subnet: "{}"},
		{Search: p.Name, Seed: 1<<64 - 1, ID: 2, Origin: "random", Parents: []int64{}, Parameters: 28e6, Rungs: []*float64{number(5), nil},
			Evaluated: when, Layers: 30, Embd: 576, Subnet: "{}", Failure: &failure},
	}
}

func write(t *testing.T, name string, p slm.Population) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	for range 2 { // the second replaces the first
		if err := Write(path, p); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("%d files beside the table (%v)", len(files), err)
	}
	return path
}

func TestParquet(t *testing.T) {
	p := population(t)
	path := write(t, "population.parquet", p)
	got, err := parquet.ReadFile[row](path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Evaluated = got[i].Evaluated.UTC()
	}
	if !reflect.DeepEqual(got, want(p)) {
		t.Errorf("read back %+v, want %+v", got, want(p))
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var about slm.Population
	text, ok := file.Lookup("offshoot")
	if err := json.Unmarshal([]byte(text), &about); !ok || err != nil || about.Search.Seed != p.Search.Seed || about.Teacher.Name != p.Teacher.Name {
		t.Errorf("metadata %q (%v)", text, err)
	}
}

// The columns and their kinds are what people's scripts rely on.
func TestParquetSchema(t *testing.T) {
	var got []string
	for _, f := range parquet.SchemaOf(row{}).Fields() {
		kind := f.Name()
		if f.Optional() {
			kind += "?"
		}
		if f.Leaf() {
			kind += " " + f.Type().String()
		}
		got = append(got, kind)
	}
	want := "search STRING, seed INT(64,false), id INT(64,true), generation INT(64,true), origin STRING, parents, parameters INT(64,true), " +
		"flops INT(64,true), kv_bytes INT(64,true), loss? DOUBLE, perplexity? DOUBLE, untrained? DOUBLE, rungs, latency? DOUBLE, seconds DOUBLE, " +
		"evaluated TIMESTAMP(isAdjustedToUTC=true,unit=MICROS), layers INT(64,true), embd INT(64,true), subnet STRING, failure? STRING"
	if strings.Join(got, ", ") != want {
		t.Errorf("columns %s\nwant    %s", strings.Join(got, ", "), want)
	}
}

func TestCSV(t *testing.T) {
	p := population(t)
	file, err := os.Open(write(t, "population.csv", p))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	first := want(p)[0]
	want := [][]string{
		strings.Split("search seed id generation origin parents parameters flops kv_bytes loss perplexity untrained rungs latency seconds evaluated layers embd subnet failure", " "),
		{p.Name, "18446744073709551615", "0", "0", "random", "[]", "30000000", "60000000", "768", "3.25", strconv.FormatFloat(*first.Perplexity, 'g', -1, 64), "9.5",
			"[3.5,3.25]", "0.375", "1.5", "2026-11-24T13:57:26.123456Z", "2", "192", string(first.Subnet), ""},
		{p.Name, "18446744073709551615", "1", "2", "crossover", "[0,3]", "29000000", "0", "0", "1000", "", "", "[1000]", "", "0", "2026-11-24T13:57:26.123456Z", "30", "576", "{}", ""},
		{p.Name, "18446744073709551615", "2", "0", "random", "[]", "28000000", "0", "0", "", "", "", "[5,null]", "", "0", "2026-11-24T13:57:26.123456Z", "30", "576", "{}", "its loss is NaN"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back %q\nwant      %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	p := population(t)
	for _, p := range []slm.Population{p, {Candidates: []slm.Candidate{}}} {
		text, err := os.ReadFile(write(t, "population.JSON", p))
		if err != nil {
			t.Fatal(err)
		}
		got := []row{}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if len(p.Candidates) == 0 && len(got) == 0 {
			continue
		}
		if !reflect.DeepEqual(got, want(p)) {
			t.Errorf("read back %+v, want %+v", got, want(p))
		}
	}
}

// The score of a told search is no cross-entropy.
func TestToldSearchHasNoPerplexity(t *testing.T) {
	p := population(t)
	p.Search.Told = true
	if r := rows(p)[0]; r.Perplexity != nil || *r.Loss != 3.25 {
		t.Errorf("%+v", r)
	}
}

func TestMistakes(t *testing.T) {
	p := population(t)
	for name, want := range map[string]string{"population.xlsx": "want one of .csv, .parquet, .json", "population": "suffix", "none/population.csv": "no such file"} {
		if err := Write(filepath.Join(t.TempDir(), name), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// What is written is what Python's readers see, where the references' Python has one.
func TestPythonReadsParquet(t *testing.T) {
	python := os.Getenv("OFFSHOOT_REFERENCES")
	if python == "" || exec.Command(python, "-c", "import pyarrow.parquet").Run() != nil {
		t.Skip("OFFSHOOT_REFERENCES names no Python with pyarrow")
	}
	script := `import json, sys, pyarrow.parquet as q
t = q.read_table(sys.argv[1])
print(json.dumps([[r["search"], r["seed"], r["parents"], r["loss"], r["untrained"], r["rungs"], r["evaluated"].isoformat(), json.loads(r["subnet"]), r["failure"]] for r in t.to_pylist()]))`
	out, err := exec.Command(python, "-c", script, write(t, "population.parquet", population(t))).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := `[["30M, the \"first\"", 18446744073709551615, [], 3.25, 9.5, [3.5, 3.25], "2026-11-24T13:57:26.123456+00:00", ` +
		`{"embd": "0-191", "layers": [{"layer": 3}, {"layer": 7, "ffn": "0-63"}]}, null], ` +
		`["30M, the \"first\"", 18446744073709551615, [0, 3], 1000.0, null, [1000.0], "2026-11-24T13:57:26.123456+00:00", {}, null], ` +
		`["30M, the \"first\"", 18446744073709551615, [], null, null, [5.0, null], "2026-11-24T13:57:26.123456+00:00", {}, "its loss is NaN"]]`
	if strings.TrimSpace(string(out)) != want {
		t.Errorf("%s\nwant %s", out, want)
	}
}
