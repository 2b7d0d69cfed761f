package check

import (
	"fmt"
	"time"
)

// patience is how long a learner's function may take: those of the exercises take microseconds.
var patience = 5 * time.Second

// call calls a function of the learner's. The trouble, if any, is a clause that says that it panicked, or did not return, to follow the
// function's name.
func call[T any](f func() T) (result T, trouble string) {
	type outcome struct {
		result  T
		trouble string
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if r := recover(); r != nil {
				o.trouble = fmt.Sprintf("panicked: %v", r)
			}
			done <- o
		}()
		o.result = f()
	}()
	select {
	case o := <-done:
		return o.result, o.trouble
	case <-time.After(patience):
		return result, fmt.Sprintf("did not return within %s: does a loop in it end?", patience)
	}
}
