package export

import (
	"bytes"
	"cmp"
	_ "embed" // the template
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"text/template"

	"github.com/offshoot-ml/offshoot/slm"
)

//go:embed card.md.tmpl
var cardTemplate string

// card is what a model card tells.
type card struct {
	Provenance
	DType             DType
	Parameters        int64
	Padding           int64
	Stored            int64 // parameters in the files
	FLOPs             int64 // of a forward pass, for each token
	TeacherConfig     slm.Config
	TeacherParameters int64
	TeacherFLOPs      int64
	HasTokenizer      bool
	GGUF              string // the file's name; "" for none
}

// longestSubnet is how much text of a sub-network a card shows; offshoot.json has it in any case.
const longestSubnet = 6000

// cardText is the README.md of a student's folder, for people: what it is, how to load it, and where it comes from.
func cardText(s Student, r Record, gguf string) ([]byte, error) {
	c := card{Provenance: s.Provenance, DType: r.DType, Parameters: r.Parameters, Padding: r.Padding, Stored: r.Parameters + r.Padding,
		FLOPs: s.Subnet.ForwardFLOPs(s.Teacher, s.Teacher.Context), TeacherConfig: s.Teacher,
		TeacherParameters: slm.Subnet{}.Parameters(s.Teacher).Total(), TeacherFLOPs: slm.Subnet{}.ForwardFLOPs(s.Teacher, s.Teacher.Context),
		HasTokenizer: s.Tokenizer.JSON != nil, GGUF: gguf}
	functions := template.FuncMap{
		"yaml": strconv.Quote, "count": slm.Count, "thousands": thousands,
		"some": func(n int) string {
			if n == 0 {
				return "not recorded"
			}
			return thousands(n)
		},
		"family":      func() string { return string(s.Teacher.Family) },
		"teacherName": func() string { return cmp.Or(s.Provenance.Teacher.Name, s.Teacher.Name, "a teacher") },
		"alone":       func() bool { return alone(s) },
		"trained":     func() string { return trainedTag(s.Provenance.Training) },
		"start":       startText,
		"form":        func() string { return formText(r) },
		"isCode":      func() bool { return r.Layers == Code },
		"layers":      func() int { return s.Subnet.Depth(s.Teacher) },
		"embd":        func() int { return s.Subnet.Embd.Len(s.Teacher.Embd) },
		"shapes":      func() []shapeRow { return shapeRows(s.Teacher, s.Subnet) },
		"subnet":      func() (string, error) { return subnetText(s.Subnet) },
		"date": func() string {
			if s.Provenance.Created.IsZero() {
				return ""
			}
			return s.Provenance.Created.UTC().Format("2006-01-02")
		},
	}
	parsed, err := template.New(cardFile).Funcs(functions).Parse(cardTemplate)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, c); err != nil {
		return nil, fmt.Errorf("model card: %w", err)
	}
	return append(bytes.TrimRight(out.Bytes(), "\n"), '\n'), nil
}

// formText says how the layers are written.
func formText(r Record) string {
	if r.Layers == Code {
		return "Its layers differ in size, which no class of transformers describes; `modeling_offshoot.py` does. Read it before you trust it."
	}
	if r.Layers == Uniform {
		return fmt.Sprintf("It is a plain `%s`.", class(r))
	}
	return fmt.Sprintf("It is a `%s` whose layers are padded to equal sizes; the padding adds %s parameters and changes no logit.",
		class(r), slm.Count(r.Padding))
}

// alone reports a whole model that was pretrained without a teacher.
func alone(s Student) bool {
	t := s.Provenance.Training
	return t != nil && t.Distillation.Init == slm.FromRandom && !t.Distillation.Loss.NeedsTeacher() && s.Provenance.Teacher == (Origin{})
}

// trainedTag is a tag for how a student was trained.
func trainedTag(t *Training) string {
	switch {
	case t == nil:
		return ""
	case t.Distillation.Loss.NeedsTeacher():
		return "distillation"
	}
	return "pretraining"
}

func startText(t *Training) string {
	if t.Distillation.Init == slm.FromRandom {
		return "random weights"
	}
	if t.Distillation.Init == slm.FromExport {
		return fmt.Sprintf("the weights of another student (SHA-256 %.12s)", t.Distillation.FromSHA256)
	}
	return "the weights of the sub-network"
}

// shapeRow is one or more neighbouring layers of equal sizes.
type shapeRow struct {
	slm.Shape
	Layers, Teacher string
}

func shapeRows(teacher slm.Config, subnet slm.Subnet) []shapeRow {
	var rows []shapeRow
	var first int
	var indices []int
	for i, l := range subnet.KeptLayers(teacher) {
		shape := l.Shape(teacher)
		shape.Layer = 0
		if len(rows) == 0 || rows[len(rows)-1].Shape != shape {
			rows, first, indices = append(rows, shapeRow{Shape: shape}), i, nil
		}
		indices = append(indices, l.Layer)
		last := &rows[len(rows)-1]
		last.Layers, last.Teacher = strconv.Itoa(first), slm.IndicesOf(indices...).String()
		if i > first {
			last.Layers += "-" + strconv.Itoa(i)
		}
	}
	return rows
}

// subnetText is a sub-network's JSON, a layer to a line; empty where it is too long for a page.
func subnetText(s slm.Subnet) (string, error) {
	text, err := json.Marshal(s)
	if err != nil || len(text) > longestSubnet || string(text) == "{}" {
		return "", err
	}
	return strings.ReplaceAll(string(text), `{"layer":`, "\n  "+`{"layer":`), nil
}

// thousands is [slm.Thousands] of a whole number of any signed type: templates do not convert.
func thousands(n any) string {
	return slm.Thousands(reflect.ValueOf(n).Int())
}
