// Command host is the resident process of a lab: package resident does the work of a host, and engine.go plugs the tensor
// library, the tokenizer and the corpus into it.
//
// Nobody starts it by hand: the first cell of a notebook does, see [github.com/offshoot-ml/offshoot/kernelext.Open].
//
// With a verb it does a piece of work and ends instead: `lab eval` and its like run it so (verb.go).
package main

import (
	"os"

	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(runVerb(os.Args[1], os.Args[2:]))
	}
	os.Exit(resident.Main(&engine{}, os.Stderr))
}
