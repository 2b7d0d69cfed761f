package model

import (
	"context"
	"errors"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// A processor does between a billion and a hundred thousand billion operations a second, whatever else it does.
func TestPeakIsThatOfADevice(t *testing.T) {
	backend, err := NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	for _, numbers := range []slm.NumberType{slm.Float32, slm.BFloat16} {
		peak, err := Peak(t.Context(), backend, numbers)
		if err != nil || peak < 1e9 || peak > 1e14 {
			t.Errorf("%s: %g FLOPs a second, %v", numbers, peak, err)
		}
		t.Logf("%s: %.3g FLOPs a second", numbers, peak)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Peak(ctx, backend, slm.Float32); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
