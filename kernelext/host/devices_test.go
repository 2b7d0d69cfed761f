package main

import (
	"runtime"
	"slices"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// The table is as nvidia-smi's manual has it (--format=csv,noheader,nounits).
func TestGPUs(t *testing.T) {
	got := gpus("NVIDIA H200, 12288, 143771, 87\nTesla T4, [N/A], 15360, [Not Supported]\nNo devices were found\n")
	want := []kernelext.Device{{Name: "NVIDIA H200", Used: 12 << 30, Total: 143771 << 20, Busy: 0.87}, {Name: "Tesla T4", Total: 15 << 30}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMachine(t *testing.T) {
	d := machine()
	if runtime.GOOS == "linux" && !(0 < d.Used && d.Used < d.Total) || d.Name == "" {
		t.Errorf("the machine is %+v", d)
	}
}
