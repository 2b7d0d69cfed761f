package slm

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Device is an accelerator, as its data sheet describes it.
type Device struct {
	Name   string  `json:"name"`
	Half   float64 `json:"half"`            // peak FLOPs a second of dense matrix products with two-byte numbers
	Single float64 `json:"single"`          // the same with float32, on tensor cores where there are any (TF32)
	Memory int64   `json:"memory,omitzero"` // bytes; 0 where it is not known
}

// FLOPS is the device's peak for a number type, in operations a second.
func (d Device) FLOPS(t NumberType) float64 {
	if t == Float32 {
		return d.Single
	}
	return d.Half
}

// devices are NVIDIA's data sheets' (the SXM boards, without sparsity).
var devices = map[string]Device{
	"a100": {Half: 312e12, Single: 156e12, Memory: 80e9},
	"h100": {Half: 989.4e12, Single: 494.7e12, Memory: 80e9},
	"h200": {Half: 989.4e12, Single: 494.7e12, Memory: 141e9},
}

// cpuCore is a core's peak: two fused multiply-adds of eight float32 a cycle (AVX2), at 3 GHz. It is a guess at any one
// machine; who has measured passes TFLOPS=.
const cpuCore = 2 * 2 * 8 * 3e9

// ParseDevice reads the name of a device, in any case, "cpu" for this machine's cores, or a peak such as "TFLOPS=120".
// The error of an unknown name lists the known ones.
func ParseDevice(text string) (Device, error) {
	name := strings.ToLower(text)
	if d, ok := devices[name]; ok {
		d.Name = name
		return d, nil
	}
	if name == "cpu" {
		peak := cpuCore * float64(runtime.NumCPU())
		return Device{Name: fmt.Sprintf("cpu, %d cores", runtime.NumCPU()), Half: peak, Single: peak}, nil
	}
	if number, ok := strings.CutPrefix(name, "tflops="); ok {
		tera, err := strconv.ParseFloat(number, 64)
		if err != nil || !(tera > 0) || math.IsInf(tera, 0) {
			return Device{}, fmt.Errorf("device %q: want a positive number, such as TFLOPS=120", text)
		}
		return Device{Name: fmt.Sprintf("%g TFLOPS", tera), Half: tera * 1e12, Single: tera * 1e12}, nil
	}
	known := append(slices.Sorted(maps.Keys(devices)), "cpu", "TFLOPS=NUMBER")
	return Device{}, fmt.Errorf("no device is called %q; known: %s", text, strings.Join(known, ", "))
}
