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

// Device is an accelerator, as its data sheet describes it. XLA computes float32 products on CUDA with TF32, unless GOMLX_BACKEND
// has tf32=false.
type Device struct {
	Name   string  `json:"name"`
	Half   float64 `json:"half"`            // peak FLOPs a second of dense matrix products with two-byte numbers
	Single float64 `json:"single"`          // the same with float32, on tensor cores where there are any (TF32)
	Memory int64   `json:"memory,omitzero"` // bytes; 0 where it is not known
}

// FLOPS is the device's peak for a number type, of which none is float32, in operations a second.
func (d Device) FLOPS(t NumberType) float64 {
	if t == Float16 || t == BFloat16 {
		return d.Half
	}
	return d.Single
}

// devices are NVIDIA's, by what its driver calls them. Figures are those of the data sheets for dense products (a sheet that gives
// only those with sparsity gives twice as much), with bfloat16 summed in float32, and with TF32: of the data-centre boards' product
// briefs, and of the whitepapers on the GA102 and the Ada architecture for the GeForce boards (their appendices A).
var devices = map[string]Device{
	"a10":       {Half: 125e12, Single: 62.5e12, Memory: 24e9},
	"a40":       {Half: 149.7e12, Single: 74.8e12, Memory: 48e9},
	"a100":      {Half: 312e12, Single: 156e12, Memory: 80e9},
	"b200":      {Half: 2250e12, Single: 1125e12, Memory: 180e9},
	"h100":      {Half: 989.4e12, Single: 494.7e12, Memory: 80e9}, // SXM
	"h100 nvl":  {Half: 835.5e12, Single: 417.7e12, Memory: 94e9},
	"h100 pcie": {Half: 756e12, Single: 378e12, Memory: 80e9},
	"h200":      {Half: 989.4e12, Single: 494.7e12, Memory: 141e9}, // SXM
	"l4":        {Half: 121e12, Single: 60e12, Memory: 24e9},
	"l40s":      {Half: 362e12, Single: 183e12, Memory: 48e9},
	"rtx 3090":  {Half: 71e12, Single: 35.6e12, Memory: 24e9},
	"rtx 4090":  {Half: 165.2e12, Single: 82.6e12, Memory: 24e9},
}

// deviceWords is how a name is looked up: in small letters, its words apart.
func deviceWords(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", " ") }

// FindDevice is the one that a longer name is about, such as the driver's "NVIDIA H100 80GB HBM3"; ok says whether it is known. Its
// memory is left open: boards of one name come with different ones.
func FindDevice(name string) (d Device, ok bool) {
	words := " " + deviceWords(name) + " "
	if strings.Contains(words, " laptop ") { // slower than the board of its name
		return d, false
	}
	for known, device := range devices {
		if strings.Contains(words, " "+known+" ") && len(known) > len(d.Name) { // "h100 pcie", not "h100"
			d, ok = Device{Name: known, Half: device.Half, Single: device.Single}, true
		}
	}
	return d, ok
}

// cpuCore is a core's peak: two fused multiply-adds of eight float32 a cycle (AVX2), at 3 GHz. It is a guess at any one
// machine; who has measured passes TFLOPS=.
const cpuCore = 2 * 2 * 8 * 3e9

// ParseDevice reads the name of a device, in any case, "cpu" for this machine's cores, or a peak such as "TFLOPS=120".
// The error of an unknown name lists the known ones.
func ParseDevice(text string) (Device, error) {
	name := deviceWords(text)
	if d, ok := devices[name]; ok {
		d.Name = name
		return d, nil
	}
	if name == "cpu" {
		peak := cpuCore * float64(runtime.NumCPU())
		return Device{Name: fmt.Sprintf("cpu, %d cores", runtime.NumCPU()), Half: peak, Single: peak}, nil
	}
	if number, ok := strings.CutPrefix(strings.ToLower(text), "tflops="); ok {
		tera, err := strconv.ParseFloat(number, 64)
		if err != nil || !(tera > 0) || math.IsInf(tera, 0) {
			return Device{}, fmt.Errorf("device %q: want a positive number, such as TFLOPS=120", text)
		}
		return Device{Name: fmt.Sprintf("%g TFLOPS", tera), Half: tera * 1e12, Single: tera * 1e12}, nil
	}
	known := append(slices.Sorted(maps.Keys(devices)), "cpu", "TFLOPS=NUMBER")
	return Device{}, fmt.Errorf("no device is called %q; known: %s", text, strings.Join(known, ", "))
}
