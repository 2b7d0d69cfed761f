// Package export writes students for other programs, and reads them back.
//
// The story, in the order of the files:
//
//   - A [Student] is a sub-network of a teacher's architecture with weights of its own (student.go), and comes from
//     somewhere: its [Provenance] (provenance.go). Its layers may differ in every size (anatomy.go).
//   - [Cut] takes the weights that a sub-network keeps out of a teacher's file (cut.go).
//   - [Student.Plain] finds the plain model of the family that computes the same logits (padding.go), and makes its weights
//     (paddingweights.go).
//   - [Write] writes a folder that transformers loads (export.go): all of it or nothing (folder.go). [Layers] says how
//     layers that differ are written: as a plain model (config.go), or as they are, with modelling code (code.go,
//     code/*.py). Weights are stored in a [DType] (dtype.go, float16.go) in one or several files (safetensors.go), tokens
//     as the teacher has them (tokenizer.go).
//   - For llama.cpp there is a GGUF (gguf.go, ggufvocabulary.go, ggufwrite.go).
//   - People read the model card (card.go, card.md.tmpl), programs the [Record] in offshoot.json (record.go), by which
//     [Open] reads the student back without its padding (open.go).
//
// Nothing here knows a tensor library or a device.
package export
