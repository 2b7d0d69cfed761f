package datasets_test

import (
	"context"
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// A run saves the position of its stream beside its weights, and goes on from there.
func ExampleCorpus_Train() {
	ctx := context.Background()
	teacher, err := checkpoint.Open(ctx, "smollm2-135m.gguf", checkpoint.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer teacher.Close()
	tokenizer, err := datasets.TeacherTokenizer(teacher)
	if err != nil {
		log.Fatal(err)
	}
	defer tokenizer.Close()
	corpus, err := datasets.GoRoot(ctx, tokenizer, nil)
	if err != nil {
		log.Fatal(err)
	}
	batches := corpus.Train(1, 2, 256)
	ids, err := batches.Next(ctx) // 2 windows of 257 tokens
	if err != nil {
		log.Fatal(err)
	}
	text, err := tokenizer.Decode(ids[:257])
	if err != nil {
		log.Fatal(err)
	}
	saved := batches.Position()
	fmt.Println(text, saved)

	resumed := corpus.Train(1, 2, 256)
	if err := resumed.Seek(saved); err != nil {
		log.Fatal(err)
	}
}
