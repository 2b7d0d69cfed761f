// Package checkpoint moves weights between files and memory: teachers in, students out.
//
// The story, in the order of the files:
//
//   - [Weights] are float32 arrays under their Hugging Face names; an architecture says which names and shapes a model
//     must have (weights.go).
//   - [OpenGGUF] reads a teacher: it looks the file over before anything believes it (ggufcheck.go), takes the
//     architecture and the vocabulary from the header (ggufheader.go), and dequantizes all tensors on all cores while
//     the file's SHA-256 is computed (gguf.go). llama.cpp stores query and key rows in an order of its own; rope.go
//     puts them back.
//   - [SaveSafetensors] and [LoadSafetensors] keep weights in the format that the rest of the field reads
//     (safetensors.go, safetensorsload.go, atomic.go). A file is there as a whole or not at all.
//   - [WriteStudent] writes a folder that transformers loads: model.safetensors and config.json (student.go).
//
// Nothing here knows a tensor library or a device, and every error names the file and what to do next.
package checkpoint
