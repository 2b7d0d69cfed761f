package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// opened is a model whose weights are not on the device yet, and a sub-network of it. Close it.
type opened struct {
	*checkpoint.Teacher
	name     string // as it was asked for
	subnet   slm.Subnet
	exported *export.Student // of a run, or of a folder that an export wrote: then the Teacher is the student as a plain model
}

// Close ends the reading of the weights. An exported student's are read whole.
func (o *opened) Close() error {
	if o.exported != nil {
		return nil
	}
	return o.Teacher.Close()
}

// sizes are the parameters, and the FLOPs of a forward pass for each token of a window: without padding.
func (o *opened) sizes(seq int) (parameters, flops int64) {
	c, s := o.Config, o.subnet
	if o.exported != nil {
		c, s = o.exported.Teacher, o.exported.Subnet
	}
	return s.Parameters(c).Total(), s.ForwardFLOPs(c, seq)
}

// openModel finds a model by its reference: a teacher that set-up or a person put into the lab's folder of teachers, by its
// name, or whatever checkpoint.Open takes. subnet is a JSON file, or empty for all of the model.
func openModel(ctx context.Context, reference, subnet string, p progress) (*opened, error) {
	if subnet == "" {
		if o, err := openExported(reference); o != nil || err != nil {
			return o, err
		}
		return openTeacher(ctx, reference, slm.Subnet{}, p)
	}
	o, err := openTeacher(ctx, reference, slm.Subnet{}, p)
	if err != nil {
		return nil, err
	}
	if o.subnet, err = ask.ReadSubnet(subnet, o.Config); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// openTeacher opens a teacher, and checks that it has the sub-network.
func openTeacher(ctx context.Context, reference string, subnet slm.Subnet, p progress) (*opened, error) {
	t, err := checkpoint.Open(ctx, installed(reference), checkpoint.Options{Progress: p.part("downloading "+reference, "bytes")})
	if err != nil {
		return nil, err
	}
	if err := subnet.Validate(t.Config); err != nil {
		return nil, errors.Join(fmt.Errorf("sub-network of %s: %w", reference, err), t.Close())
	}
	return &opened{Teacher: t, name: reference, subnet: subnet}, nil
}

// openExported opens a student that an export wrote, however its layers are written; nil for anything else.
func openExported(folder string) (*opened, error) {
	if _, err := os.Stat(filepath.Join(folder, "offshoot.json")); err != nil {
		return nil, nil
	}
	s, _, err := export.Open(folder)
	if err != nil {
		return nil, err
	}
	return openStudent(folder, s)
}

// openStudent makes a model of a student.
func openStudent(name string, s export.Student) (o *opened, err error) {
	o = &opened{name: name, exported: &s, Teacher: &checkpoint.Teacher{TokenizerJSON: s.Tokenizer.JSON, EOS: -1, Origin: checkpoint.Origin{Path: name}}}
	if s.Tokenizer.EOS != nil {
		o.EOS = *s.Tokenizer.EOS
	}
	o.Config, o.Source, err = s.Plain()
	return o, err
}

// openRun opens the student of a run in a lab, as of its last checkpoint, or the best of those that were kept.
func openRun(ctx context.Context, lab, run string, best bool, p progress) (*opened, error) {
	history, err := readHistory(ctx, lab, run)
	if err != nil {
		return nil, err
	}
	return openHistory(ctx, history, best, p)
}

// readHistory reads what a lab's folder knows of a run.
func readHistory(ctx context.Context, lab, run string) (resident.History, error) {
	home, err := kernelext.Home()
	if err != nil {
		return resident.History{}, err
	}
	return resident.ReadHistory(ctx, home, lab, run)
}

func openHistory(ctx context.Context, history resident.History, best bool, p progress) (*opened, error) {
	if best {
		history.Checkpoint = history.Best
	}
	s, err := runStudent(ctx, history, p)
	if err != nil {
		return nil, err
	}
	return openStudent(history.Curve.Name, s)
}

// steps are those that a run's student was trained for; 0 of other models.
func (o *opened) steps() int {
	if o.exported == nil || o.exported.Provenance.Training == nil {
		return 0
	}
	return o.exported.Provenance.Training.Steps
}

// masked says that a student's attention stayed within documents when it was trained.
func (o *opened) masked() bool {
	return o.exported != nil && o.exported.Provenance.Training != nil && o.exported.Provenance.Training.Distillation.DocumentMask
}

// installed is the path of an installed teacher; another reference stays as it is.
func installed(reference string) string {
	home, err := kernelext.Home()
	if err != nil {
		return reference
	}
	return cmp.Or(resident.Installed(home)[reference], reference)
}

// windows cuts a text's tokens into windows of seq tokens, row-major; the last, partial one is dropped.
func (o *opened) windows(text string, seq int) ([]int32, error) {
	tokenizer, err := datasets.TeacherTokenizer(o.Teacher)
	if err != nil {
		return nil, err
	}
	defer tokenizer.Close()
	ids, err := tokenizer.Encode(text)
	if err != nil {
		return nil, err
	}
	if len(ids) < seq {
		return nil, fmt.Errorf("its %d tokens are too few for one window of %d", len(ids), seq)
	}
	for _, id := range ids {
		if int(id) >= o.Config.Vocab {
			return nil, fmt.Errorf("the tokenizer's token %d is outside the vocabulary of %s, %d", id, o.name, o.Config.Vocab)
		}
	}
	return ids[:len(ids)/seq*seq], nil
}

// load puts the weights on the device.
func (o *opened) load(ctx context.Context, m *meter) (*model.Teacher, error) {
	backend, err := model.NewBackend()
	if err != nil {
		return nil, err
	}
	return model.Load(ctx, backend, o.Config, o.Source, m.part("loading "+o.name, "bytes"))
}
