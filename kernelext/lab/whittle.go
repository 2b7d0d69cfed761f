package main

// whittleVariable names the Python that has whittle.
const whittleVariable = "OFFSHOOT_WHITTLE"

// whittlePrograms are whittle, which `lab bench search speed` races. Of its requirements it needs none of those for other
// commands of its own, such as wandb and boto3.
func whittlePrograms() programs {
	return programs{name: "whittle", folder: "whittle", recipe: "whittle.txt", bare: []string{"whittle==0.6.0"},
		imports: "torch, transformers, litgpt, gguf, whittle.models.gpt, whittle.metrics.parameters", about: "whittle 0.6.0"}
}
