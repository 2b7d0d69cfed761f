package distill

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	gomlx "github.com/gomlx/gomlx/ml/model"
	"golang.org/x/sync/errgroup"

	"github.com/offshoot-ml/offshoot/slm/model"
)

// devices are several of an accelerator's devices that train one student, data parallel: all have its weights, the optimizer's state
// and the teacher, and each takes its part of every batch. GoMLX's auto-sharding makes one program of them (XLA's Shardy,
// https://github.com/openxla/shardy): the graph is written for the whole batch, and the compiler adds what the devices tell each
// other, such as sums of gradients. So a step means the same on any number of devices, also with a loss that compares the tokens of
// a batch with each other (MMD). A nil *devices is one device.
type devices struct {
	mesh     *distributed.DeviceMesh
	split    *distributed.ShardingSpec // of what has an axis for sequences or tokens, the first: a part for each device
	whole    *distributed.ShardingSpec // of all else: a copy for each device
	teachers []*model.Teacher          // one on each device, once they were asked
}

// Devices is the number of devices that the next step runs on.
func (t *Trainer) Devices() int { return t.devices.count() }

func (d *devices) count() int {
	if d == nil {
		return 1
	}
	return d.mesh.NumDevices()
}

// Spread makes the next steps run on the accelerator's first n devices. It may be called between any two steps: they are the same on
// any number of devices, up to rounding, and so are checkpoints; only the next step compiles anew. n must divide the sequences
// of a batch; the error of one that does not, or of more devices than there are, changes nothing.
func (t *Trainer) Spread(n int) error {
	if n == t.Devices() {
		return nil
	}
	d, err := newDevices(t.backend, n, t.Distillation.Batch)
	if err != nil {
		return err
	}
	if err := t.unplace(); err != nil {
		return err
	}
	before := t.devices
	t.devices = d
	if err := t.programs(); err != nil {
		t.devices = before
		return err
	}
	before.close()
	return nil
}

func newDevices(backend compute.Backend, n, batch int) (*devices, error) {
	available := int(backend.NumDevices())
	if n < 1 || n > available {
		return nil, fmt.Errorf("%d devices: the accelerator (%s) has %d", n, backend.Name(), available)
	}
	if batch%n != 0 {
		return nil, fmt.Errorf("%d devices: a batch of %d sequences cannot be split evenly over them; take %v of the accelerator's %d devices, or begin a run with a batch of %d",
			n, batch, dividing(batch, available), available, (batch/n+1)*n)
	}
	if n == 1 {
		return nil, nil
	}
	const axis = "batch"
	mesh, err := distributed.NewDeviceMesh([]int{n}, []string{axis})
	if err != nil {
		return nil, err
	}
	split, err := distributed.BuildSpec(mesh).S(axis).Done()
	return &devices{mesh: mesh, split: split, whole: distributed.NewReplicatedShardingSpec(mesh)}, err
}

// dividing are the numbers of devices over which a batch can be split.
func dividing(batch, available int) (out []int) {
	for n := 1; n <= available; n++ {
		if batch%n == 0 {
			out = append(out, n)
		}
	}
	return out
}

// unplace takes the variables back from the devices that they are on: the next step puts them where it needs them.
func (t *Trainer) unplace() error {
	for v := range t.Student.Store.IterVariables() {
		if !v.HasValue() {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return err
		}
		if value, err = value.LocalClone(); err != nil {
			return err
		}
		if err := errors.Join(v.SetValue(value), v.SetShardingSpec(nil)); err != nil {
			return err
		}
	}
	return nil
}

// over makes a program one of all devices; its outputs are the same on each.
func (d *devices) over(program *gomlx.Exec) *gomlx.Exec {
	if d == nil {
		return program
	}
	return program.AutoSharding(d.mesh).WithOutputShardingSpecs(d.whole)
}

// input is a part of a batch as an input of a step's programs: a tensor, or one that is on several devices.
type input interface{ FinalizeAll() error }

// call runs one of the step's programs. Tensors are split along their first axis, Go values are copied to each device.
func (d *devices) call(program *gomlx.Exec, args []any) ([]*tensors.Tensor, error) {
	if d == nil {
		return program.Call(args...)
	}
	placed, specs := make([]any, len(args)), make([]*distributed.ShardingSpec, len(args))
	for i, arg := range args {
		specs[i] = d.split
		switch arg := arg.(type) {
		case *dtensor.Tensor:
			placed[i] = arg
			continue
		case *tensors.Tensor:
		default:
			specs[i] = d.whole
		}
		shards, err := dtensor.ShardTensor(specs[i], tensors.MustFromAnyValue(arg))
		if err != nil {
			return nil, err
		}
		defer shards.FinalizeAll()
		placed[i] = shards
	}
	out, err := program.WithInputShardingSpecs(specs...).Call(placed...)
	if err != nil {
		return nil, err
	}
	each := len(out) / d.count()
	for _, copied := range out[each:] {
		copied.MustFinalizeAll()
	}
	return out[:each], nil
}

// download copies an input to the host.
func download(in input) ([]float32, error) {
	whole, ok := in.(*tensors.Tensor)
	if !ok {
		var err error
		if whole, err = in.(*dtensor.Tensor).Merge(); err != nil {
			return nil, err
		}
		defer whole.MustFinalizeAll()
	}
	return model.Download(whole)
}

// ask lets a teacher read tokens, [B, T]: on several devices each reads its part, all at once, and what they say has the axis of the
// batch first.
func (d *devices) ask(ctx context.Context, teacher *model.Teacher, tokens *tensors.Tensor,
	read func(ctx context.Context, teacher *model.Teacher, tokens *tensors.Tensor) ([]*tensors.Tensor, error)) ([]input, error) {
	if d == nil {
		out, err := read(ctx, teacher, tokens)
		if err != nil {
			return nil, err
		}
		inputs := make([]input, len(out))
		for i := range out {
			inputs[i] = out[i]
		}
		return inputs, nil
	}
	if err := d.copyTeacher(teacher); err != nil {
		return nil, err
	}
	shards, err := dtensor.ShardTensor(d.split, tokens)
	if err != nil {
		return nil, err
	}
	defer shards.FinalizeAll()
	parts := make([][]*tensors.Tensor, d.count())
	group, ctx := errgroup.WithContext(ctx)
	for i, teacher := range d.teachers {
		group.Go(func() (err error) {
			parts[i], err = read(ctx, teacher, shards.Shards()[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		for _, part := range slices.Concat(parts...) {
			part.MustFinalizeAll()
		}
		return nil, err
	}
	return d.join(parts)
}

// join makes inputs of the parts that are on each device.
func (d *devices) join(parts [][]*tensors.Tensor) (out []input, err error) {
	for i := range parts[0] {
		each := make([]*tensors.Tensor, len(parts))
		for device := range parts {
			each[device] = parts[device][i]
		}
		joined, err := dtensor.NewTensor(d.split, each)
		if err != nil {
			return nil, err
		}
		out = append(out, joined)
	}
	return out, nil
}

// copyTeacher puts a teacher on the devices that lack it.
func (d *devices) copyTeacher(teacher *model.Teacher) error {
	if d.teachers == nil {
		d.teachers = []*model.Teacher{teacher}
	}
	for len(d.teachers) < d.count() {
		copied, err := teacher.On(len(d.teachers))
		if err != nil {
			return err
		}
		d.teachers = append(d.teachers, copied)
	}
	return nil
}

// close frees the teachers on all devices but the first, which is not its own.
func (d *devices) close() {
	if d == nil {
		return
	}
	for i, teacher := range d.teachers {
		if i > 0 {
			teacher.Close()
		}
	}
}
