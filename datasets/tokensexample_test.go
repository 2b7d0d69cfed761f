package datasets_test

import (
	"context"
	"fmt"
	"log"

	"github.com/offshoot-ml/offshoot/datasets"
)

// A source is tokenized once; the next call opens what is there, or goes on where an interrupt stopped it.
func ExampleTokenize() {
	ctx := context.Background()
	var source datasets.Source        // where the documents come from
	var tokenizer *datasets.Tokenizer // the teacher's
	tokens, err := datasets.Tokenize(ctx, source, tokenizer, "tokens/fineweb-edu", datasets.TokenizeOptions{
		Limit: 1e9,
		Progress: func(p datasets.TokenizeProgress) {
			if left, ok := p.Left(); ok {
				fmt.Printf("\r%d of %d tokens, %.0f a second, %v left", p.Tokens, p.Limit, p.Rate(), left)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer tokens.Close()
	held, err := tokens.Validation(20_480, 256)
	if err != nil {
		log.Fatal(err)
	}
	windows := tokens.Train(1, 8, 256)
	ids, err := windows.Next(ctx) // [8, 257]
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(held), len(ids), windows.Position())
}
