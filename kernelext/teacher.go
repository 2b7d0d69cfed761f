package kernelext

import (
	"context"
	"fmt"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Teacher is a teacher that the host holds in memory.
type Teacher struct {
	TeacherInfo
	lab *Lab
}

// Show displays a card: the architecture, the parameters by part, and the held-out perplexity.
func (t *Teacher) Show() { teacherCard(t.TeacherInfo).show() }

// Continue continues a prompt by the teacher's likeliest tokens.
func (t *Teacher) Continue(prompt string, tokens int) string {
	return t.Generate(prompt, slm.Generation{Tokens: tokens})
}

// ContinueSubnet is [Teacher.Continue] of a sub-network in place, untrained.
func (t *Teacher) ContinueSubnet(s slm.Subnet, prompt string, tokens int) (text string) {
	t.lab.do(t.Config.Name, func(ctx context.Context, d *display) (line string, err error) {
		text, err = t.lab.client.GenerateSubnet(ctx, t.Config.Name, s, prompt, slm.Generation{Tokens: tokens}, quiet(d))
		return "", err
	})
	return text
}

// Generate continues a prompt, for example by tokens drawn with a temperature.
func (t *Teacher) Generate(prompt string, g slm.Generation) string {
	var text string
	t.lab.do(t.Config.Name, func(ctx context.Context, d *display) (line string, err error) {
		text, err = t.lab.client.Generate(ctx, t.Config.Name, prompt, g, quiet(d))
		return "", err
	})
	return text
}

// ImportanceTokens is how much text a cell, and a search that reorders its teacher, measure activations on: as long as evaluating the
// teacher on it. More changes the order of the units little.
const ImportanceTokens = 4096

// Importance measures how much each unit of the teacher matters, by its activations on the training text: for the order of a
// search, or for pruning.
//
//	order, err := teacher.Importance(slm.Norm).Order(teacher.Config)
func (t *Teacher) Importance(aggregate slm.Aggregate) slm.Importance {
	var importance slm.Importance
	t.lab.do("importance in "+t.Config.Name, func(ctx context.Context, d *display) (line string, err error) {
		importance, err = t.lab.client.Importance(ctx, t.Config.Name, aggregate, ImportanceTokens, d.watch)
		return "", err
	})
	return importance
}

// LayerDrop measures how much perplexity the teacher loses without each of its layers, on the held-out text of its own perplexity:
// that takes as long as an evaluation for each. Run the cell again to go on where it was interrupted.
//
//	plots.Show(plots.LayerImportance(teacher.Config, teacher.LayerDrop()))
func (t *Teacher) LayerDrop() (drop slm.Importance) {
	t.lab.do("layers of "+t.Config.Name+" dropped", func(ctx context.Context, d *display) (line string, err error) {
		drop, err = t.lab.client.LayerDrop(ctx, t.Config.Name, d.watch)
		if time.Since(d.began) > time.Second {
			line = fmt.Sprintf("%s without each of its %d layers: %s", t.Config.Name, t.Config.Layers, duration(time.Since(d.began).Seconds()))
		}
		return line, err
	})
	return drop
}

// Sample draws one sub-network at random from a search's space, inside its bin.
func (t *Teacher) Sample(search slm.Search, seed uint64) slm.Candidate {
	candidate, err := search.Sample(t.Config, seed)
	if err != nil {
		fail(err)
	}
	return candidate
}

// quiet shows only what takes time besides the writing itself: waiting, loading.
func quiet(d *display) func(Event) {
	return func(e Event) {
		if e.Kind != Progress || e.Total > 0 || time.Since(d.began) > time.Second {
			d.watch(e)
		}
	}
}

func loadedLine(info TeacherInfo, d *display) string {
	if time.Since(d.began) < time.Second { // it was there
		return ""
	}
	return fmt.Sprintf("%s loaded in %s", info.Config.Name, duration(info.Seconds))
}
