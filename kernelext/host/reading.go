package main

import (
	"context"
	"math"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// document is a text in tokens, as a model reads it.
type document struct {
	ids       []int32
	separated bool // the first is the separator, and not one of the text's
}

// readDocument puts the separator before a text, as before every document that models are trained on.
func readDocument(text string, tokenizer *datasets.Tokenizer, most int, c slm.Config) (d document, err error) {
	if d.separated = tokenizer.Separator() >= 0; d.separated {
		d.ids = []int32{tokenizer.Separator()}
	}
	ids, err := tokenizer.Encode(text)
	if err != nil {
		return d, err
	}
	if most = min(most, c.Context-len(d.ids)); len(ids) == 0 || len(ids) > most {
		return d, kernelext.Errorf(kernelext.Invalid, "the text has %d tokens, want 1 to %d: take a part of it", len(ids), most)
	}
	d.ids = append(d.ids, ids...)
	return d, nil
}

// predict reads a text, and names the tokens.
func predict(r kernelext.Reading, tokenizer *datasets.Tokenizer, c slm.Config, read func(ids []int32) (slm.Predicted, error)) (p slm.Predicted, err error) {
	d, err := readDocument(r.Text, tokenizer, slm.MostPredicted, c)
	if err != nil {
		return p, err
	}
	if p, err = read(d.ids); err != nil {
		return p, err
	}
	if d.separated {
		p.Tokens = p.Tokens[1:]
	}
	name := func(list []slm.Likely) {
		for i := range list {
			list[i].Text = tokenizer.Piece(list[i].ID)
		}
	}
	for i := range p.Tokens {
		p.Tokens[i].Text = tokenizer.Piece(p.Tokens[i].ID)
		name(p.Tokens[i].Expected)
	}
	name(p.Next)
	return p, nil
}

// attention reads a text, and names the tokens.
func attention(r kernelext.Reading, tokenizer *datasets.Tokenizer, c slm.Config, subnet slm.Subnet,
	read func(ids []int32, layers, heads slm.Indices) ([]slm.AttentionMap, error)) (a slm.Attention, err error) {
	if _, err := subnet.KeptHeads(c, r.Layers, r.Heads); err != nil {
		return a, kernelext.Errorf(kernelext.Invalid, "%v", err)
	}
	d, err := readDocument(r.Text, tokenizer, slm.MostAttended, c)
	if err != nil {
		return a, err
	}
	if a.Maps, err = read(d.ids, r.Layers, r.Heads); err != nil {
		return a, err
	}
	for _, m := range a.Maps { // six decimals keep a message of many maps small
		for _, row := range m.Weights {
			for i, weight := range row {
				row[i] = float32(math.Round(float64(weight)*1e6) / 1e6)
			}
		}
	}
	for _, id := range d.ids {
		a.Tokens = append(a.Tokens, tokenizer.Piece(id))
	}
	return a, nil
}

// Predict is what the teacher, or a sub-network in place, expects of a text.
func (t *teacher) Predict(ctx context.Context, r kernelext.Reading) (slm.Predicted, error) {
	if err := r.Subnet.Validate(t.config); err != nil {
		return slm.Predicted{}, kernelext.Errorf(kernelext.Invalid, "sub-network: %v", err)
	}
	return predict(r, t.tokenizer, t.config, func(ids []int32) (slm.Predicted, error) { return t.model.Predict(ctx, r.Subnet, ids) })
}

// Attention is where heads of the teacher, or of a sub-network in place, look.
func (t *teacher) Attention(ctx context.Context, r kernelext.Reading) (slm.Attention, error) {
	if err := r.Subnet.Validate(t.config); err != nil {
		return slm.Attention{}, kernelext.Errorf(kernelext.Invalid, "sub-network: %v", err)
	}
	return attention(r, t.tokenizer, t.config, r.Subnet, func(ids []int32, layers, heads slm.Indices) ([]slm.AttentionMap, error) {
		return t.model.Attention(ctx, r.Subnet, ids, layers, heads)
	})
}

// Predict is what the student expects of a text.
func (t *trainer) Predict(ctx context.Context, r kernelext.Reading) (slm.Predicted, error) {
	p, err := predict(r, t.teacher.tokenizer, t.teacher.config, func(ids []int32) (slm.Predicted, error) { return t.Student.Predict(ctx, ids) })
	p.Steps = t.Steps()
	return p, err
}

// Attention is where heads of the student look.
func (t *trainer) Attention(ctx context.Context, r kernelext.Reading) (slm.Attention, error) {
	a, err := attention(r, t.teacher.tokenizer, t.teacher.config, t.Student.Subnet, func(ids []int32, layers, heads slm.Indices) ([]slm.AttentionMap, error) {
		return t.Student.Attention(ctx, ids, layers, heads)
	})
	a.Steps = t.Steps()
	return a, err
}
