package model_test

import (
	"context"
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// A teacher is put in order: its important units first, so that a coarse sub-network, which keeps the first of everything,
// keeps those. Here the weights are random; elsewhere they come from a checkpoint, and the windows from a text.
func ExampleReorder() {
	ctx := context.Background()
	config := slm.Config{Name: "example", Family: slm.Llama, Layers: 2, Embd: 16, Heads: 4, QueryGroups: 2, HeadSize: 4, FFN: 24,
		Vocab: 32, Context: 16, NormEps: 1e-5, RopeTheta: 10000, Tied: true}
	weights := model.RandomWeights(config, slm.Subnet{}, 1)
	backend, err := model.NewBackend()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer backend.Finalize()
	teacher, err := model.Load(ctx, backend, config, weights, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer teacher.Close()

	windows := []int32{3, 1, 4, 1, 5, 9, 2, 6, 5} // one of 8 tokens, and the one that follows
	importance, err := teacher.Activations(ctx, windows, 8, slm.Norm, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	order, err := importance.Order(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	reordered, err := model.Reorder(weights, config, order)
	if err != nil {
		fmt.Println(err)
		return
	}
	const tensor = "model.embed_tokens.weight" // its first row has a value for each embedding dimension
	first, best := reordered[tensor].Data[0], weights[tensor].Data[order.Embd[0]]
	fmt.Println(importance.Method, "·", len(order.FFN[0]), "neurons in order ·", first == best)
	// Output: activations, norm · 24 neurons in order · true
}
