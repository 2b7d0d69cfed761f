// Package datasets turns text into the token batches that a student trains on.
//
// The story, in the order of the files:
//
//   - A [Tokenizer] is Hugging Face's, built from the vocabulary and merges of a teacher's GGUF (tokenizer.go,
//     tokenizerjson.go) or read from its tokenizer.json (tokenizerread.go). [SmallerTokenizer] cuts one down to its first
//     tokens, for a small model of its own (tokenizersmaller.go).
//   - A [Corpus] is a list of text files, split by file into a training and a validation half (corpus.go, split.go).
//     [GoRoot] lists the source and prose that every machine with Go has; [Text] lists files of one's own (scan.go).
//   - A [Source] gives documents from anywhere (source.go). [Open] opens one (sourceopen.go): the Go installation
//     (sourcegoroot.go); files and folders of text, JSON Lines and Parquet (sourcepaths.go, sourceformat.go and a file for
//     each format); a data set of the hub, its files found by its README or by their names and downloaded when they are
//     read (sourcehub.go, sourcehublayout.go, sourcehubcard.go, sourcehubnames.go); or a mixture by weight
//     (sourcemixture.go).
//   - [Batches] walk the training half, shuffled by a seed in passages of a few hundred tokens or more (passage.go,
//     batches.go), each row of a batch at a place of its own. Text is tokenized when the stream reaches it, so that training
//     starts at once, and a [Position] names each row's next token: saved with a run, it resumes the stream exactly.
//   - [Corpus.Validation] is a fixed sample of windows from the other half (validation.go).
//   - A [Sample] of any source is what models are evaluated on: held-out documents or all, with their bytes (sample.go).
//   - Text of many gigabytes is tokenized once: [Tokenize] writes the [Tokens] of a source into a folder, on all cores, and
//     goes on where it was stopped (tokens.go, tokensbuild.go, tokensencode.go, tokensprogress.go). A shard holds whole
//     documents (tokensfile.go), and tokens.json what they are made of (tokensrecord.go).
//   - [Windows] walk the tokens in an order that needs no memory (tokensbatches.go, tokensshuffle.go), and
//     [Tokens.Validation] samples the other half (tokensvalidation.go). A [TrainingText] is either, a Corpus or Tokens
//     (tokenstext.go).
//
// Only data sets of the hub use a network. They and tokens are all that is written to the disk: data sets into the cache of
// Python's huggingface_hub, tokens into the folder that Tokenize was given.
package datasets
