package kernelext

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Teacher loads a teacher into the host, unless it is there already, and describes it. The name is that of an installed or a
// published teacher, a Hugging Face repository ("owner/name", "owner/name@revision"), or the path of a GGUF file or a folder
// with safetensors. An unknown name's error lists the known ones.
func (c *Client) Teacher(ctx context.Context, name string, watch func(Event)) (TeacherInfo, error) {
	var info TeacherInfo
	err := c.work(ctx, VerbTeacher, WorkRequest{Name: teacherName(name)}, watch, &info)
	return info, err
}

// Architecture is a teacher's, whose weights need not be in memory for it. Names are as for [Client.Teacher].
func (c *Client) Architecture(ctx context.Context, teacher string, watch func(Event)) (slm.Config, error) {
	var config slm.Config
	err := c.work(ctx, VerbArchitecture, WorkRequest{Name: teacherName(teacher)}, watch, &config)
	return config, err
}

// Generate continues a prompt with a teacher, and returns the new text.
func (c *Client) Generate(ctx context.Context, teacher, prompt string, g slm.Generation, watch func(Event)) (string, error) {
	var text string
	err := c.work(ctx, VerbGenerate, WorkRequest{Name: teacher, Prompt: prompt, Generation: &g}, watch, &text)
	return text, err
}

// GenerateSubnet continues a prompt with a sub-network of a teacher, in place and untrained, and returns the new text.
func (c *Client) GenerateSubnet(ctx context.Context, teacher string, subnet slm.Subnet, prompt string, g slm.Generation, watch func(Event)) (string, error) {
	var text string
	err := c.work(ctx, VerbGenerate, WorkRequest{Name: teacherName(teacher), Subnet: subnet, Prompt: prompt, Generation: &g}, watch, &text)
	return text, err
}

// Importance measures how much each unit of a teacher matters, by its activations on so many tokens of the training text. What
// was measured before is remembered.
func (c *Client) Importance(ctx context.Context, teacher string, aggregate slm.Aggregate, tokens int, watch func(Event)) (slm.Importance, error) {
	var importance slm.Importance
	request := WorkRequest{Name: teacherName(teacher), Importance: &Importance{Aggregate: aggregate, Tokens: tokens}}
	err := c.work(ctx, VerbImportance, request, watch, &importance)
	return importance, err
}

// LayerDrop measures what a teacher loses without each of its layers, on the held-out text of its perplexity. An interrupted
// measurement keeps the layers that are done, and so does a finished one: the next call goes on after them.
func (c *Client) LayerDrop(ctx context.Context, teacher string, watch func(Event)) (slm.Importance, error) {
	var drop slm.Importance
	err := c.work(ctx, VerbLayerDrop, WorkRequest{Name: teacherName(teacher)}, watch, &drop)
	return drop, err
}

// Search runs a search to its end, continuing what the lab holds of it, and returns all that it evaluated. A finished
// search returns at once. Other options under the same name are an error of code [Differs].
func (c *Client) Search(ctx context.Context, name string, search slm.Search, watch func(Event)) (slm.Population, error) {
	return c.SearchLive(ctx, name, search, watch)
}

// SearchLive is Search before watchers, each of which is called with the population so far: when there is one at the start,
// about every second while it grows, and at the end. A watcher that is slow misses some of it, and holds up nothing but itself.
func (c *Client) SearchLive(ctx context.Context, name string, search slm.Search, watch func(Event), watchers ...func(slm.Population)) (slm.Population, error) {
	if watch == nil {
		watch = func(Event) {}
	}
	var err error
	if search.Data, err = absolute(search.Data); err != nil {
		return slm.Population{}, err
	}
	a := c.audience(ctx, name, watchers)
	err = c.work(ctx, VerbSearch, WorkRequest{Name: name, Search: &search}, func(e Event) { a.watch(e); watch(e) }, &Summary{})
	var p slm.Population
	if err == nil {
		p, err = c.Population(ctx, name)
	}
	for _, failure := range a.end(p) {
		watch(Event{Kind: Note, Message: failure})
	}
	return p, err
}

// Distill names a run and checks its options, without training. Naming it again returns its curve; other options under
// the same name are an error of code [Differs].
func (c *Client) Distill(ctx context.Context, name string, d slm.Distillation, watch func(Event)) (curve slm.Curve, err error) {
	if d.Data, err = absolute(d.Data); err != nil {
		return curve, err
	}
	if d.From != "" {
		if d.From, err = filepath.Abs(d.From); err != nil { // the host works in another folder
			return curve, err
		}
	}
	if err := c.work(ctx, VerbDistill, WorkRequest{Name: name, Distillation: &d}, watch, &Summary{}); err != nil {
		return slm.Curve{}, err
	}
	return c.Curve(ctx, name)
}

// absolute makes the paths of data independent of this process's folder: the host has another.
func absolute(d slm.Data) (slm.Data, error) {
	d.Paths, d.Mixture = slices.Clone(d.Paths), slices.Clone(d.Mixture)
	for i, p := range d.Paths {
		full, err := filepath.Abs(p)
		if err != nil {
			return d, err
		}
		d.Paths[i] = full
	}
	for i := range d.Mixture {
		part, err := absolute(d.Mixture[i].Data)
		if err != nil {
			return d, err
		}
		d.Mixture[i].Data = part
	}
	return d, nil
}

// Train trains a run for an increment, from where it stopped.
func (c *Client) Train(ctx context.Context, run string, until slm.Until, watch func(Event)) (slm.Curve, error) {
	return c.TrainOn(ctx, run, 1, until, watch)
}

// TrainOn is [Client.Train] on so many of the accelerator's devices, which share the sequences of each batch evenly. How many is
// no property of the run: its steps are the same, up to rounding, and the next call may take another number.
func (c *Client) TrainOn(ctx context.Context, run string, devices int, until slm.Until, watch func(Event)) (slm.Curve, error) {
	return c.ofRun(ctx, VerbSteps, WorkRequest{Name: run, Until: &until, Devices: devices}, watch)
}

// Steps is [Client.Train] for some more steps.
func (c *Client) Steps(ctx context.Context, run string, steps int, watch func(Event)) (slm.Curve, error) {
	return c.Train(ctx, run, slm.Until{Steps: steps}, watch)
}

// Change changes a run's schedule or loss from its next step on.
func (c *Client) Change(ctx context.Context, run string, change slm.Change, watch func(Event)) (slm.Curve, error) {
	return c.ofRun(ctx, VerbChange, WorkRequest{Name: run, Change: &change}, watch)
}

// Undo takes a run back to its last checkpoint up to a step. What came after it is lost.
func (c *Client) Undo(ctx context.Context, run string, step int, watch func(Event)) (slm.Curve, error) {
	return c.ofRun(ctx, VerbUndo, WorkRequest{Name: run, Step: step}, watch)
}

// Branch begins a new run at a run's last checkpoint up to a step, or at its last one with step -1.
func (c *Client) Branch(ctx context.Context, run string, step int, name string, watch func(Event)) (slm.Curve, error) {
	return c.ofRun(ctx, VerbBranch, WorkRequest{Name: name, From: run, Step: step}, watch)
}

// ofRun does work on a run, and reads its records.
func (c *Client) ofRun(ctx context.Context, verb string, request WorkRequest, watch func(Event)) (slm.Curve, error) {
	if err := c.work(ctx, verb, request, watch, &Summary{}); err != nil {
		return slm.Curve{}, err
	}
	return c.Curve(ctx, request.Name)
}

// GenerateRun continues a prompt with a run's student, and returns the new text.
func (c *Client) GenerateRun(ctx context.Context, run, prompt string, g slm.Generation, watch func(Event)) (string, error) {
	var text string
	err := c.work(ctx, VerbGenerate, WorkRequest{Name: run, Run: true, Prompt: prompt, Generation: &g}, watch, &text)
	return text, err
}

// Population reads a search's records.
func (c *Client) Population(ctx context.Context, search string) (slm.Population, error) {
	var all slm.Population
	err := c.records(ctx, RecordsRequest{Search: search}, func(page Records) {
		candidates := append(all.Candidates, page.Population.Candidates...)
		all = *page.Population
		all.Candidates = candidates
	})
	return all, err
}

// Curve reads a run's records.
func (c *Client) Curve(ctx context.Context, run string) (slm.Curve, error) {
	var all slm.Curve
	err := c.records(ctx, RecordsRequest{Run: run}, func(page Records) {
		points := append(all.Points, page.Curve.Points...)
		all = *page.Curve
		all.Points = points
	})
	return all, err
}

// Curves reads the records of some runs, or of all.
func (c *Client) Curves(ctx context.Context, runs ...string) ([]slm.Curve, error) {
	if len(runs) == 0 {
		contents, err := c.Contents(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range contents.Runs {
			runs = append(runs, r.Name)
		}
	}
	curves := make([]slm.Curve, len(runs))
	for i, name := range runs {
		var err error
		if curves[i], err = c.Curve(ctx, name); err != nil {
			return nil, err
		}
	}
	return curves, nil
}

// Contents lists what the lab holds.
func (c *Client) Contents(ctx context.Context) (Contents, error) {
	var contents Contents
	err := c.records(ctx, RecordsRequest{}, func(page Records) { contents = *page.Contents })
	return contents, err
}

// records reads pages until the last.
func (c *Client) records(ctx context.Context, request RecordsRequest, add func(Records)) error {
	at, err := c.attached(ctx)
	if err != nil {
		return err
	}
	request.Lab = c.lab
	for {
		var page Records
		if err := at.call(ctx, VerbRecords, request, &page); err != nil {
			return err
		}
		add(page)
		if page.Next == 0 {
			return nil
		}
		request.From = page.Next
	}
}

// Status asks the host of this lab for its status.
func (c *Client) Status(ctx context.Context) (Status, error) {
	at, err := c.attached(ctx)
	if err != nil {
		return Status{}, err
	}
	var status Status
	err = at.call(ctx, VerbStatus, struct{}{}, &status)
	return status, err
}
