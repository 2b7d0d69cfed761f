package model

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/gomlx/go-xla/pjrt"

	"github.com/offshoot-ml/offshoot/slm"
)

// An evaluation frees all that it had on the device, without the garbage collector, which does not see how much that is; and
// nothing of it stays in Go's heap.
func TestEvaluatingKeepsNothing(t *testing.T) {
	const rounds = 5
	for _, config := range tinies()[:2] { // with sequential residuals, and with parallel ones
		_, teacher := newTiny(t, config)
		space := slm.FineLayerWise
		space.Embd, space.HeadSize = slm.Dim{Min: 20, Max: 24, Step: 1}, slm.Choice(8) // few programs
		search := slm.Search{Space: space, Bin: slm.Bin{Lower: 1, Upper: 1 << 30}, Population: 40}.WithDefaults()
		candidates, err := search.Next(config, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := teacher.Prepare(t.Context(), search, 3, 16); err != nil {
			t.Fatal(err)
		}
		windows := someTokens(3*17, config.Vocab)
		evaluate := func() {
			for _, c := range candidates {
				if _, err := teacher.Loss(t.Context(), c.Subnet, windows, 16); err != nil {
					t.Fatal(err)
				}
			}
		}
		evaluate() // fills pools
		objects, buffers := heapObjects(), pjrt.BuffersAlive()
		collecting := debug.SetGCPercent(-1)
		for range rounds {
			evaluate()
		}
		kept := pjrt.BuffersAlive() - buffers
		debug.SetGCPercent(collecting)
		if kept > 0 {
			t.Errorf("%s: %d evaluations left %d buffers on the device", config.Name, rounds*len(candidates), kept)
		}
		if more := heapObjects() - objects; more > rounds*len(candidates)/4 {
			t.Errorf("%s: %d evaluations left %d objects in Go's heap", config.Name, rounds*len(candidates), more)
		}
		runtime.KeepAlive(candidates) // else they are gone before the last count
	}
}

// heapObjects counts Go's live objects. What pools hold survives one collection, and what has a cleanup, too.
func heapObjects() int {
	for range 4 {
		runtime.GC()
		time.Sleep(time.Millisecond) // for the cleanups, which run beside it
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapObjects)
}
