package datasets_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/slm"
)

// Documents come from the lines of a file of one's own; Data{Name: "roneneldan/TinyStories"} would give those of the hub.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "stories")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	stories := filepath.Join(folder, "stories.jsonl")
	lines := `{"title": "A cat", "story": "Once there was a cat."}
{"title": "A dog", "story": "It met a dog."}
`
	if err := os.WriteFile(stories, []byte(lines), 0o644); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	source, err := datasets.Open(ctx, slm.Data{Paths: []string{stories}, Column: "story"}, datasets.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for document, err := range source.Documents(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(document.ID, document.Text)
	}
	// Output:
	// stories.jsonl:1 Once there was a cat.
	// stories.jsonl:2 It met a dog.
}
