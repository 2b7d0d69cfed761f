package model

import (
	"context"
	"fmt"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
)

// How a peak is measured: with matrices so large that a product takes shortestProduct, and as often as peakTime allows.
const (
	smallestProduct = 1024
	largestProduct  = 8192
	shortestProduct = 10 * time.Millisecond
	peakTime        = 200 * time.Millisecond
)

// Peak measures how many operations a second a device does in the product of two square matrices of a number type: the fastest of
// several products. Beside other work on the same processor it comes out too low.
func Peak(ctx context.Context, backend compute.Backend, numbers slm.NumberType) (flops float64, err error) {
	for n := smallestProduct; ; n *= 2 {
		took, err := fastestProduct(ctx, backend, numbers, n)
		if err != nil {
			return 0, fmt.Errorf("measure the device's peak: %w", err)
		}
		if took >= shortestProduct || n >= largestProduct {
			return 2 * float64(n) * float64(n) * float64(n) / took.Seconds(), nil
		}
	}
}

// fastestProduct is the shortest time of a product of matrices [n, n].
func fastestProduct(ctx context.Context, backend compute.Backend, numbers slm.NumberType, n int) (time.Duration, error) {
	matrix, err := NewExec(backend, func(g *Graph) *Node {
		return matrixIn(numbers, Sin(IotaFull(g, shapes.Make(dtypes.Float32, n, n))))
	})
	if err != nil {
		return 0, err
	}
	defer matrix.Finalize()
	a, err := matrix.Call1()
	if err != nil {
		return 0, err
	}
	defer free(a)
	multiply, err := NewExec(backend, func(a *Node) *Node { // a number to wait for
		return ReduceAllMax(product(a.DType(), a, []int{1}, nil, a, []int{0}, nil))
	})
	if err != nil {
		return 0, err
	}
	defer multiply.Finalize()
	return fastest(ctx, func() error {
		out, err := multiply.Call1(a)
		if err != nil {
			return err
		}
		defer free(out)
		tensors.ToScalar[float32](out)
		return nil
	})
}

// fastest is the shortest time of several calls, the first of which compiles.
func fastest(ctx context.Context, call func() error) (shortest time.Duration, err error) {
	if err := call(); err != nil {
		return 0, err
	}
	for begin := time.Now(); shortest == 0 || time.Since(begin) < peakTime; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		before := time.Now()
		if err := call(); err != nil {
			return 0, err
		}
		if took := time.Since(before); shortest == 0 || took < shortest {
			shortest = took
		}
	}
	return shortest, nil
}
