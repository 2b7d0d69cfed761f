package model

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// weight is a tensor on the device, with an axis for each of its [slm.Weight]'s axes.
type weight struct {
	tensor *tensors.Tensor
	shared []float32 // the device's own memory, where that is the host's too; nil elsewhere
}

// newWeight makes a tensor on the device and lets read fill it: on a processor there is no copy on the way.
func newWeight(backend compute.Backend, device compute.DeviceNum, sizes []int, read func(dst []float32) error) (w weight, err error) {
	shape := shapes.Make(dtypes.Float32, sizes...)
	if backend.HasSharedBuffers() {
		return newShared(backend, device, shape, read)
	}
	w.tensor = tensors.FromShape(shape)
	if err = tensors.MutableFlatData(w.tensor, func(flat []float32) { err = read(flat) }); err == nil {
		err = w.tensor.MaterializeOnDevice(backend, false, device)
	}
	if err != nil {
		free(w.tensor)
		return weight{}, err
	}
	w.tensor.FinalizeLocal()
	return w, nil
}

func newShared(backend compute.Backend, device compute.DeviceNum, shape shapes.Shape, read func(dst []float32) error) (w weight, err error) {
	buffer, flat, err := backend.NewSharedBuffer(device, shape)
	if err != nil {
		return w, err
	}
	if w.tensor, err = tensors.FromBuffer(buffer); err != nil {
		return weight{}, err
	}
	var ok bool
	if w.shared, ok = flat.([]float32); !ok {
		err = fmt.Errorf("the device shares %T, not float32", flat)
	}
	if err == nil {
		err = read(w.shared)
	}
	if err != nil {
		free(w.tensor)
		return weight{}, err
	}
	return w, nil
}

// values are the weight's, row-major: the device's memory itself where it is shared, so they must not be changed.
func (w weight) values() ([]float32, error) {
	if w.shared != nil {
		return w.shared, nil
	}
	return Download(w.tensor)
}

// on is a copy of the weight on another device.
func (w weight) on(backend compute.Backend, device compute.DeviceNum) (weight, error) {
	values, err := w.values()
	if err != nil {
		return weight{}, err
	}
	return newWeight(backend, device, w.tensor.Shape().Dimensions, func(dst []float32) error { copy(dst, values); return nil })
}

// Download copies a float32 tensor to the host, without leaving a second copy in it.
func Download(t *tensors.Tensor) ([]float32, error) {
	data, err := tensors.CopyFlatData[float32](t)
	if err == nil && t.IsOnAnyDevice() {
		t.FinalizeLocal()
	}
	return data, err
}
