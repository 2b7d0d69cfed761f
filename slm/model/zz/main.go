package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/model"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type data struct{ n, size int }

func (d *data) Next(ctx context.Context) ([]int32, error) {
	r := rand.New(rand.NewPCG(uint64(d.n), 1))
	d.n++
	out := make([]int32, d.size)
	for i := range out {
		out[i] = int32(r.IntN(500))
	}
	return out, nil
}
func (d *data) Position() ([]byte, error) { return json.Marshal(d.n) }
func (d *data) Seek(b []byte) error       { return json.Unmarshal(b, &d.n) }

func main() {
	ctx := context.Background()
	ct := must(checkpoint.OpenGGUF(ctx, os.Args[1], nil))
	b := must(model.NewBackend())
	t := must(model.Load(b, ct.Config, ct.Weights))
	s := slm.Search{Space: slm.CoarseUniform, Bin: slm.Around(30e6, 0.05)}.WithDefaults()
	c := must(s.Sample(ct.Config, 3))
	fmt.Println(c.Subnet.Embd, len(c.Subnet.Layers), c.Subnet.Layers[0])
	d := slm.Distillation{Subnet: c.Subnet, Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7))}.WithDefaults()
	val := must((&data{100, 8 * 129}).Next(ctx))
	tr := must(distill.New(b, t, d, &data{0, 4 * 129}, val))
	fmt.Println(must(tr.Validate(ctx)))
	for range 6 {
		p := must(tr.Step(ctx))
		fmt.Printf("%+v\n", p)
	}
	t1 := time.Now()
	if err := tr.Save("/tmp/w/x.safetensors"); err != nil {
		panic(err)
	}
	fmt.Println("save", time.Since(t1))
	fmt.Println(must(tr.Validate(ctx)))
	for range 4 {
	fmt.Printf("%+v\n", must(tr.Step(ctx)))
	}
	for range 3 {
	t1 = time.Now()
	fmt.Println(must(tr.Validate(ctx)))
	fmt.Println("val", time.Since(t1))
	}
	fmt.Printf("%+v\n", must(tr.Step(ctx)))
	tr.Close()
	tr = must(distill.New(b, t, d, &data{0, 4 * 129}, val))
	t1 = time.Now()
	if err := tr.Load("/tmp/w/x.safetensors"); err != nil {
		panic(err)
	}
	fmt.Println("load", time.Since(t1))
	fmt.Println(must(tr.Validate(ctx)))
	fmt.Printf("%+v\n", must(tr.Step(ctx)))
	fmt.Println(must(tr.Validate(ctx)))
	st, _ := os.ReadFile("/proc/self/status")
	fmt.Println(string(st)[:0])
}
