package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// Devices are the GPUs that CUDA shows, or else the processor with the machine's memory. It asks anew each time: in milliseconds, but
// for NVIDIA's driver, which gets a second.
func (e *engine) Devices(ctx context.Context) []kernelext.Device {
	if e.backend == nil || e.backend.HasSharedBuffers() {
		return []kernelext.Device{machine()}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	query := []string{"--query-gpu=name,memory.used,memory.total,utilization.gpu", "--format=csv,noheader,nounits"}
	if shown := os.Getenv("CUDA_VISIBLE_DEVICES"); shown != "" {
		query = append(query, "--id="+shown)
	}
	table, err := exec.CommandContext(ctx, "nvidia-smi", query...).Output()
	if err != nil {
		return []kernelext.Device{{Name: e.device}}
	}
	return gpus(string(table))
}

// gpus reads a line for each GPU: its name, MiB in use and in all, and how much of the last second it was busy, in percent. What the
// driver does not know is no number, and 0.
func gpus(table string) (out []kernelext.Device) {
	for line := range strings.Lines(table) {
		fields := strings.Split(strings.TrimSpace(line), ", ")
		if len(fields) != 4 {
			continue
		}
		number := func(i int) float64 { v, _ := strconv.ParseFloat(fields[i], 64); return v }
		out = append(out, kernelext.Device{Name: fields[0], Used: int64(number(1)) << 20, Total: int64(number(2)) << 20, Busy: number(3) / 100})
	}
	return out
}

// machine is the processor. Its memory is what the operating system can give, of which all programs have their parts.
func machine() kernelext.Device {
	d := kernelext.Device{Name: fmt.Sprintf("%s, %d cores", processor(), runtime.NumCPU())}
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return d
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "MemTotal":
			d.Total = kilobytes << 10
		case "MemAvailable":
			d.Used = d.Total - kilobytes<<10 // it comes after the total
		}
	}
	return d
}
