package model

import (
	"fmt"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/gomlx/backends/default" // registers XLA and the Go backend
)

// NewBackend opens the accelerator that the environment variable GOMLX_BACKEND names, such as "xla:/path/to/plugin.so"
// or "go"; GoMLX's default without it.
func NewBackend() (compute.Backend, error) {
	backend, err := compute.New()
	if err != nil {
		return nil, fmt.Errorf("open the accelerator: %w; `go run ./kernelext/lab doctor` shows what is installed", err)
	}
	return backend, nil
}
