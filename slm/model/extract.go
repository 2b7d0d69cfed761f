package model

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// extract copies the weights that a sub-network keeps out of its teacher's, which source gives by name.
func extract(teacher slm.Config, subnet slm.Subnet, source func(name string) (checkpoint.Tensor, error)) (checkpoint.Weights, error) {
	if err := subnet.Validate(teacher); err != nil {
		return nil, fmt.Errorf("extract: %w", err)
	}
	e := extractor{source: source, student: checkpoint.Weights{}}
	embd := subnet.Embd.Slice(teacher.Embd)
	e.copy(embedName, embedName, nil, embd)
	e.copy(normName, normName, embd, nil)
	if !teacher.Tied {
		e.copy(headName, headName, nil, embd)
	}
	for i, l := range subnet.KeptLayers(teacher) {
		size := l.HeadSize.Slice(teacher.HeadSize)
		heads := inHeads(l.Heads.Slice(teacher.Heads), size, teacher.HeadSize)
		groups := inHeads(l.QueryGroups.Slice(teacher.QueryGroups), size, teacher.HeadSize)
		ffn := l.FFN.Slice(teacher.FFN)
		for w, rowsAndColumns := range [9][2][]int{{embd}, {heads, embd}, {groups, embd}, {groups, embd}, {embd, heads},
			{embd}, {ffn, embd}, {ffn, embd}, {embd, ffn}} {
			e.copy(layerName(i, w), layerName(l.Layer, w), rowsAndColumns[0], rowsAndColumns[1])
		}
	}
	return e.student, e.err
}

// inHeads are the rows of a projection that belong to the given dimensions of the given heads.
func inHeads(heads, dims []int, headSize int) []int {
	out := make([]int, 0, len(heads)*len(dims))
	for _, h := range heads {
		for _, d := range dims {
			out = append(out, h*headSize+d)
		}
	}
	return out
}

type extractor struct {
	source  func(name string) (checkpoint.Tensor, error)
	student checkpoint.Weights
	err     error // the first
}

// copy keeps rows and columns of a matrix, or rows of a vector; nil rows keep all.
func (e *extractor) copy(to, from string, rows, columns []int) {
	if e.err != nil {
		return
	}
	whole, err := e.source(from)
	if err != nil {
		e.err = fmt.Errorf("extract: tensor %s: %w", from, err)
		return
	}
	shape := slices.Clone(whole.Shape)
	if rows != nil {
		shape[0] = len(rows)
	}
	width := 1
	if columns == nil {
		columns = []int{0}
	} else {
		width, shape[1] = whole.Shape[1], len(columns)
	}
	data := make([]float32, 0, shape[0]*len(columns))
	for i := range shape[0] {
		row := i
		if rows != nil {
			row = rows[i]
		}
		line := whole.Data[row*width : (row+1)*width]
		for _, c := range columns {
			data = append(data, line[c])
		}
	}
	e.student[to] = checkpoint.Tensor{Shape: shape, Data: data}
}

// RandomWeights draws a student's weights from scratch, as Hugging Face's Llama does: matrices from a normal
// distribution with deviation 0.02, norms at 1. The same seed gives the same weights.
func RandomWeights(teacher slm.Config, subnet slm.Subnet, seed uint64) checkpoint.Weights {
	out := checkpoint.Weights{}
	r := rand.New(rand.NewPCG(seed, 0))
	draw := func(name string, shape ...int) {
		size := 1
		for _, d := range shape {
			size *= d
		}
		data := make([]float32, size)
		for i := range data {
			data[i] = 1
			if len(shape) > 1 {
				data[i] = float32(0.02 * r.NormFloat64())
			}
		}
		out[name] = checkpoint.Tensor{Shape: shape, Data: data}
	}
	embd := subnet.Embd.Len(teacher.Embd)
	draw(embedName, teacher.Vocab, embd)
	draw(normName, embd)
	if !teacher.Tied {
		draw(headName, teacher.Vocab, embd)
	}
	for i, l := range subnet.KeptLayers(teacher) {
		for w, dims := range layerDims(embd, l.Shape(teacher)) {
			draw(layerName(i, w), matrixShape(layerName(i, w), dims)...)
		}
	}
	return out
}
