package checkpoint

// Source gives a model's tensors one at a time, by their Hugging Face names, so that loading a model needs little more
// memory than the model: each tensor is decoded straight into its place. [Weights] are a Source in memory.
type Source interface {
	// Shape is a tensor's shape, outermost dimension first, and whether there is such a tensor.
	Shape(name string) ([]int, bool)
	// Read decodes a tensor into dst as float32, row-major; dst has exactly its number of values. It may be called from
	// several goroutines at once.
	Read(name string, dst []float32) error
}
