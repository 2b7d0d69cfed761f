// Package export writes students that others can use: folders for transformers, files for llama.cpp.
//
// The story, in the order of the files:
//
//   - A [Student] is a sub-network of a teacher's architecture with weights of its own (student.go), its [Tokenizer]
//     (tokenizer.go) and its [Provenance] (provenance.go).
//   - [Write] writes it (export.go), as a whole or not at all (folder.go): weights (safetensors.go, dtype.go), config.json
//     (config.go, anatomy.go), the tokenizer, a model card (card.go) and a [Record] (record.go), from which [Open] reads the
//     very student back (open.go).
//   - transformers knows models whose layers are all alike. A student of other layers becomes one by padding with zeros,
//     which changes no logit (padding.go, paddingweights.go), or keeps its own shapes and brings the code that runs them
//     (code.go, code/).
//   - llama.cpp takes the plain form as a GGUF (gguf.go, ggufwrite.go, ggufvocabulary.go).
//
// What is written is compared with transformers and llama.cpp in the tests.
package export
