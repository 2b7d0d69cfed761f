package kernelext

import (
	"context"
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
)

// Perplexity measures how well the teacher predicts a text, on 16,384 tokens of the documents that are held out when a run trains
// on it, and shows a card. For more tokens or all documents see [Teacher.Evaluate].
func (t *Teacher) Perplexity(data slm.Data) slm.Evaluated {
	return t.Evaluate(slm.Evaluation{Data: data})
}

// Evaluate is [Teacher.Perplexity] with a choice of documents, tokens and windows.
func (t *Teacher) Evaluate(e slm.Evaluation) slm.Evaluated {
	return t.lab.evaluate("evaluating "+t.Config.Name, func(ctx context.Context, d *display) (slm.Evaluated, error) {
		return t.lab.client.Evaluate(ctx, t.Config.Name, e, d.watch)
	})
}

// Perplexity measures how well the run's student, as of its last checkpoint, predicts a text: see [Teacher.Perplexity]. The same
// data gives the same documents, also to a student of another teacher. A student that was trained with attention within documents
// is evaluated so, which the card says; [Teacher.Evaluate] can do likewise.
func (r *Run) Perplexity(data slm.Data) slm.Evaluated {
	return r.Evaluate(slm.Evaluation{Data: data})
}

// Evaluate is [Run.Perplexity] with a choice of documents, tokens, windows and the checkpoint.
func (r *Run) Evaluate(e slm.Evaluation) slm.Evaluated {
	return r.lab.evaluate("evaluating "+r.Name, func(ctx context.Context, d *display) (slm.Evaluated, error) {
		return r.lab.client.EvaluateRun(ctx, r.Name, e, d.watch)
	})
}

func (l *Lab) evaluate(title string, measure func(context.Context, *display) (slm.Evaluated, error)) (found slm.Evaluated) {
	l.do(title, func(ctx context.Context, d *display) (line string, err error) {
		found, err = measure(ctx, d)
		return fmt.Sprintf("%s: %s", title, duration(found.Seconds)), err
	})
	evaluatedCard(found).show()
	return found
}

// Evaluate measures how well a teacher predicts a text.
func (c *Client) Evaluate(ctx context.Context, teacher string, e slm.Evaluation, watch func(Event)) (slm.Evaluated, error) {
	return c.evaluate(ctx, WorkRequest{Name: teacherName(teacher), Evaluation: &e}, watch)
}

// EvaluateRun measures how well a run's student predicts a text, as of its last checkpoint, or its best one.
func (c *Client) EvaluateRun(ctx context.Context, run string, e slm.Evaluation, watch func(Event)) (slm.Evaluated, error) {
	return c.evaluate(ctx, WorkRequest{Name: run, Run: true, Evaluation: &e}, watch)
}

func (c *Client) evaluate(ctx context.Context, request WorkRequest, watch func(Event)) (found slm.Evaluated, err error) {
	asked := request.Evaluation.Data
	if request.Evaluation.Data, err = absolute(asked); err != nil {
		return found, err
	}
	err = c.work(ctx, VerbEvaluate, request, watch, &found)
	if found.Evaluation != nil {
		found.Evaluation.Data = asked // a card that is saved should not tell where a home is
	}
	return found, err
}

// evaluatedCard tells how well a model predicts a text, and which.
func evaluatedCard(e slm.Evaluated) shown {
	out := card{title: "Perplexity of " + e.Model}
	if e.Steps > 0 {
		out.add("student", "%s parameters, after %s steps", slm.Count(e.Parameters), slm.Thousands(int64(e.Steps)))
	}
	if asked := e.Evaluation; asked != nil {
		out.add("text", "%s", asked.Text())
		out.add("tokens", "%s in windows of %d, of %.3g bytes a token; documents: %d", slm.Thousands(int64(e.Tokens)), asked.SeqLen, e.BytesPerToken, e.Documents)
	}
	out.add("perplexity", "%s (loss %.4f nats per token)", perplexityText(e.Perplexity), e.Loss)
	out.add("bits per byte", "%.4f", e.BitsPerByte)
	return out.shown()
}
