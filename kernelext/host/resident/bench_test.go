package resident_test

import (
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// BenchmarkOpen is what a cell pays before its first line: attaching to a warm host, and one call.
//
//	go test -run '^$' -bench Open ./kernelext/host/resident
func BenchmarkOpen(b *testing.B) {
	newHome(b, nil)
	warm, err := kernelext.Connect(b.Context(), "one")
	if err != nil {
		b.Fatal(err)
	}
	defer warm.Close()
	for b.Loop() {
		client, err := kernelext.Connect(b.Context(), "one")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := client.Contents(b.Context()); err != nil {
			b.Fatal(err)
		}
		client.Close()
	}
}
