package main

// #include <malloc.h>
import "C"

// trim gives memory that malloc keeps free back to the system: kernelext/start.go lets it keep much while steps follow one another.
func trim() { C.malloc_trim(0) }
