package kernelext

import (
	"context"

	"github.com/offshoot-ml/offshoot/slm"
)

// Reading asks what a model makes of a text. It is read as a document of its own: after the token that separates documents, where
// the vocabulary has one.
type Reading struct {
	Text   string      `json:"text"`
	Subnet slm.Subnet  `json:"subnet,omitzero"` // of a teacher, evaluated in place; a run has its own
	Layers slm.Indices `json:"layers,omitzero"` // whose attention is asked, by the teacher's numbers; zero is all
	Heads  slm.Indices `json:"heads,omitzero"`  // likewise
}

// Predict tells what the teacher expects of a text, token by token: the loss of each token, and the likeliest ones in its place. A
// text may have 512 tokens, and as many as the teacher's context.
//
//	plots.Show(plots.Text(teacher.Predict(text), run.Predict(text)))
func (t *Teacher) Predict(text string) slm.Predicted { return t.PredictSubnet(slm.Subnet{}, text) }

// PredictSubnet is [Teacher.Predict] of a sub-network in place, untrained.
func (t *Teacher) PredictSubnet(s slm.Subnet, text string) (p slm.Predicted) {
	t.lab.do(t.Config.Name, func(ctx context.Context, d *display) (line string, err error) {
		p, err = t.lab.client.Predict(ctx, t.Config.Name, Reading{Text: text, Subnet: s}, quiet(d))
		return "", err
	})
	return p
}

// Attention tells where heads of the teacher look while it reads a text: those with a number in heads, in the layers with a number
// in layers, where the zero sets stand for all. A text may have 128 tokens, and a call 64 heads.
//
//	plots.Show(plots.Attention(teacher.Attention(text, slm.IndicesOf(0, 5), slm.Indices{})))
func (t *Teacher) Attention(text string, layers, heads slm.Indices) slm.Attention {
	return t.AttentionSubnet(slm.Subnet{}, text, layers, heads)
}

// AttentionSubnet is [Teacher.Attention] of the heads that a sub-network keeps, in place, untrained.
func (t *Teacher) AttentionSubnet(s slm.Subnet, text string, layers, heads slm.Indices) (a slm.Attention) {
	t.lab.do(t.Config.Name, func(ctx context.Context, d *display) (line string, err error) {
		a, err = t.lab.client.Attention(ctx, t.Config.Name, Reading{Text: text, Subnet: s, Layers: layers, Heads: heads}, quiet(d))
		return "", err
	})
	return a
}

// Predict tells what the run's student, as of its last step, expects of a text: see [Teacher.Predict].
func (r *Run) Predict(text string) (p slm.Predicted) {
	r.lab.do("run "+r.Name, func(ctx context.Context, d *display) (line string, err error) {
		p, err = r.lab.client.PredictRun(ctx, r.Name, Reading{Text: text}, quiet(d))
		return "", err
	})
	return p
}

// Attention tells where the heads that the run's student keeps of its teacher look: see [Teacher.Attention]. Layers and heads have
// the teacher's numbers.
func (r *Run) Attention(text string, layers, heads slm.Indices) (a slm.Attention) {
	r.lab.do("run "+r.Name, func(ctx context.Context, d *display) (line string, err error) {
		a, err = r.lab.client.AttentionRun(ctx, r.Name, Reading{Text: text, Layers: layers, Heads: heads}, quiet(d))
		return "", err
	})
	return a
}

// Predict tells what a teacher, or a sub-network in place, expects of a text of at most [slm.MostPredicted] tokens.
func (c *Client) Predict(ctx context.Context, teacher string, r Reading, watch func(Event)) (p slm.Predicted, err error) {
	err = c.work(ctx, VerbPredict, WorkRequest{Name: teacherName(teacher), Reading: &r}, watch, &p)
	return p, err
}

// PredictRun tells what a run's student expects of a text.
func (c *Client) PredictRun(ctx context.Context, run string, r Reading, watch func(Event)) (p slm.Predicted, err error) {
	err = c.work(ctx, VerbPredict, WorkRequest{Name: run, Run: true, Reading: &r}, watch, &p)
	return p, err
}

// Attention tells where at most [slm.MostMaps] heads of a teacher, or of a sub-network in place, look while it reads a text of at
// most [slm.MostAttended] tokens.
func (c *Client) Attention(ctx context.Context, teacher string, r Reading, watch func(Event)) (a slm.Attention, err error) {
	err = c.work(ctx, VerbAttention, WorkRequest{Name: teacherName(teacher), Reading: &r}, watch, &a)
	return a, err
}

// AttentionRun tells where heads of a run's student look.
func (c *Client) AttentionRun(ctx context.Context, run string, r Reading, watch func(Event)) (a slm.Attention, err error) {
	err = c.work(ctx, VerbAttention, WorkRequest{Name: run, Run: true, Reading: &r}, watch, &a)
	return a, err
}
