// Package checkpoint moves weights between files and memory: teachers in, training states out and in. Students for other
// programs are written by package export.
//
// The story, in the order of the files:
//
//   - A [Source] gives a model's tensors one at a time (source.go). [Weights] are one in memory: float32 arrays under their
//     Hugging Face names; an architecture says which names and shapes a model must have (weights.go).
//   - [Open] finds a [Teacher] by a path, a repository or a published name (open.go, teacher.go). Only headers are read; the
//     weights are decoded when they are asked for, straight into their place, so that loading needs hardly more memory than
//     the model. Package hub fetches repositories.
//   - A folder as transformers writes it has a config.json (folder.go), which [ParseConfig] reads in the keys of both its
//     major versions (config.go, configrotary.go, configkeys.go), and safetensors in one file or several (shards.go,
//     safetensorsfile.go, safetensorsheader.go).
//   - A GGUF has everything in one file (gguf.go): a header that is held against the file before anything believes it
//     (ggufheader.go, ggufextent.go), the architecture (ggufconfig.go), the vocabulary (vocabulary.go), and tensors under
//     names and in an order of llama.cpp's own (ggufnames.go), most of them quantized (ggmltypes.go, floats.go). The reader
//     is our own because go-huggingface's allocates what a header's counts ask for, and decodes a tensor only as a whole
//     into memory beside the place that it is for.
//   - [SaveSafetensors] and [LoadSafetensors] keep weights in the format that the rest of the field reads (safetensors.go,
//     atomic.go). A file is there as a whole or not at all.
//
// Nothing here knows a tensor library or a device, and every error names the file and what to do next.
package checkpoint
