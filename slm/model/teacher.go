package model

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/gomlx/compute"
	"golang.org/x/sync/errgroup"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Teacher is a pretrained transformer on a device, ready to evaluate any of its sub-networks in place.
// Its methods are for one goroutine at a time: the device has one queue.
type Teacher struct {
	Config slm.Config

	backend  compute.Backend
	device   compute.DeviceNum
	outer    []weight   // in the order of slm.Config.OuterWeights
	layers   [][]weight // each in the order of slm.Config.LayerWeights
	programs programs

	plan  plan            // of the search that was prepared last
	plans map[string]plan // of all of them
}

// Load reads a teacher's weights from their source straight into the device's memory, several at once, the largest first.
// They must be those of the architecture, which is checked before the first is read. The teacher keeps no reference to the
// source. progress, when not nil, is told how many of the bytes on the device are there; calls do not overlap.
func Load(ctx context.Context, backend compute.Backend, config slm.Config, source checkpoint.Source, progress func(done, total int64)) (*Teacher, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	t := &Teacher{Config: config, backend: backend, outer: make([]weight, len(config.OuterWeights())), layers: make([][]weight, config.Layers)}
	err := t.load(ctx, source, progress)
	if err == nil {
		t.programs, err = newPrograms(backend, t.device, config)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Teacher) load(ctx context.Context, source checkpoint.Source, progress func(done, total int64)) error {
	places := map[string]*weight{}
	for i, w := range t.Config.OuterWeights() {
		places[w.Name] = &t.outer[i]
	}
	for l := range t.layers {
		t.layers[l] = make([]weight, len(t.Config.LayerWeights()))
		for i, w := range t.Config.LayerWeights() {
			places[w.In(l)] = &t.layers[l][i]
		}
	}
	wants, total := []wanted{}, int64(0)
	whole := slm.Subnet{}
	for name, tensor := range whole.Tensors(t.Config) {
		w := wanted{name, whole.Sizes(t.Config, tensor.Layer, tensor.Weight), tensor.Weight, places[name]}
		if err := w.check(source); err != nil {
			return fmt.Errorf("teacher %s: %w", t.Config.Name, err)
		}
		wants, total = append(wants, w), total+w.bytes()
	}
	slices.SortStableFunc(wants, func(a, b wanted) int { return int(b.bytes() - a.bytes()) })
	return t.upload(ctx, source, wants, total, progress)
}

// upload reads on all cores.
func (t *Teacher) upload(ctx context.Context, source checkpoint.Source, wants []wanted, total int64, progress func(done, total int64)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	finished := make(chan int64, len(wants))
	for _, w := range wants {
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if *w.place, err = newWeight(t.backend, t.device, w.sizes, func(dst []float32) error { return source.Read(w.name, dst) }); err != nil {
				return fmt.Errorf("teacher %s: tensor %q: %w", t.Config.Name, w.name, err)
			}
			finished <- w.bytes()
			return nil
		})
	}
	go func() { group.Wait(); close(finished) }()
	done := int64(0)
	for bytes := range finished {
		if done += bytes; progress != nil {
			progress(done, total)
		}
	}
	return group.Wait()
}

// wanted is a tensor to load, and its place in the teacher.
type wanted struct {
	name  string
	sizes []int
	kind  slm.Weight
	place *weight
}

func (w wanted) bytes() int64 {
	n := int64(4)
	for _, d := range w.sizes {
		n *= int64(d)
	}
	return n
}

func (w wanted) check(source checkpoint.Source) error {
	shape, ok := source.Shape(w.name)
	want := w.kind.MatrixShape(w.sizes)
	switch {
	case !ok:
		return fmt.Errorf("tensor %q is missing (shape %v)", w.name, want)
	case !slices.Equal(shape, want):
		return fmt.Errorf("tensor %q has shape %v, want %v", w.name, shape, want)
	}
	return nil
}

// On is a copy of the teacher on another of the accelerator's devices, numbered from 0, with programs of its own; the caller
// closes it. It can be used beside the teacher.
func (t *Teacher) On(device int) (*Teacher, error) {
	c := &Teacher{Config: t.Config, backend: t.backend, device: compute.DeviceNum(device), outer: make([]weight, len(t.outer)), layers: make([][]weight, len(t.layers))}
	err := c.copyFrom(t)
	if err == nil {
		c.programs, err = newPrograms(c.backend, c.device, c.Config)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("teacher %s on device %d: %w", t.Config.Name, device, err)
	}
	return c, nil
}

func (t *Teacher) copyFrom(other *Teacher) (err error) {
	places, weights := [][]weight{t.outer}, [][]weight{other.outer}
	for l := range other.layers {
		t.layers[l] = make([]weight, len(other.layers[l]))
	}
	places, weights = append(places, t.layers...), append(weights, other.layers...)
	for i := range weights {
		for j, w := range weights[i] {
			if places[i][j], err = w.on(t.backend, t.device); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Teacher) embed() *tensors.Tensor { return t.outer[0].tensor }

// norms are the last norm's scale and, in families that have one, its bias.
func (t *Teacher) norms() (out []*tensors.Tensor) {
	for i, w := range t.Config.OuterWeights() {
		if w.Role == slm.FinalNorm || w.Role == slm.FinalNormBias {
			out = append(out, t.outer[i].tensor)
		}
	}
	return out
}

func (t *Teacher) head() *tensors.Tensor {
	if t.Config.Tied {
		return t.embed()
	}
	return t.outer[len(t.outer)-1].tensor
}

// layer is a layer's weights, of those that are wanted, as a program's inputs.
func (t *Teacher) layer(l int, wanted func(slm.Weight) bool) (args []any) {
	for i, w := range t.Config.LayerWeights() {
		if wanted(w) {
			args = append(args, t.layers[l][i].tensor)
		}
	}
	return args
}

// sizes are the padded sizes of a sub-network's layer.
func (t *Teacher) sizes(s slm.Subnet, l slm.LayerSubnet) sizes { return t.plan.sizes(t.Config, s, l) }

// Close frees the device's memory.
func (t *Teacher) Close() {
	t.programs.finalize()
	for _, w := range slices.Concat(t.layers...) {
		free(w.tensor)
	}
	for _, w := range t.outer {
		free(w.tensor)
	}
}

// free releases device memory at once: Go's collector does not see how much it is.
func free(ts ...*tensors.Tensor) {
	for _, t := range ts {
		if t != nil {
			t.MustFinalizeAll()
		}
	}
}
