package checkpoint_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

func ExampleSaveSafetensors() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	weights := checkpoint.Weights{"model.norm.weight": {Shape: []int{2}, Data: []float32{1, 0.5}}}
	if err := checkpoint.SaveSafetensors(path, weights, map[string]string{"step": "20"}); err != nil {
		fmt.Println(err)
		return
	}
	read, metadata, err := checkpoint.LoadSafetensors(path)
	fmt.Println(read["model.norm.weight"].Data, metadata["step"], err)
	// Output: [1 0.5] 20 <nil>
}
