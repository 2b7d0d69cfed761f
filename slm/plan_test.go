package slm

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// paperPlan is pythia-6.9b teaching pythia-410m, on one H100 at 40% of its peak.
func paperPlan(t testing.TB) Planned {
	t.Helper()
	teacher, err := Published("pythia-6.9b")
	if err != nil {
		t.Fatal(err)
	}
	student, err := Published("pythia-410m")
	if err != nil {
		t.Fatal(err)
	}
	device, err := ParseDevice("H100")
	if err != nil {
		t.Fatal(err)
	}
	return Planned{Teacher: teacher, Student: Model{Config: student}, Batch: 32, SeqLen: 2048, Type: BFloat16,
		Tokens: []int64{10e9}, Device: device, Utilization: 0.4}
}

// Every number here was worked out by hand from the formulas, with E, H, D, F, V of the two config.json files:
// 65,536 tokens; teacher 4096, 32, 128, 16384, 50432 in 32 layers; student 1024, 16, 64, 4096, 50304 in 24.
func TestPlanByHand(t *testing.T) {
	plan, err := paperPlan(t).Plan()
	if err != nil {
		t.Fatal(err)
	}
	const tokens = 65536
	for name, pair := range map[string][2]int64{
		"teacher weights": {plan.Memory.TeacherWeights, 4 * 6857302016},
		"student weights": {plan.Memory.StudentWeights, 2 * 405334016},
		"master weights":  {plan.Memory.MasterWeights, 4 * 405334016},
		"gradients":       {plan.Memory.Gradients, 2 * 405334016},
		"moments":         {plan.Memory.Moments, 8 * 405334016},
		// A layer: E values of 4 bytes, 2E + 4E + 2F = 14,336 of 2, and 16 heads × 2,048 positions of 2 bytes.
		"student activations": {plan.Memory.StudentActivations, tokens * (24*(4096+28672+65536) + 6144)},
		"stored":              {plan.StoredBytes, 155021475840},
		"recomputed":          {plan.RecomputedBytes, tokens * (24*4096 + 98304 + 6144)},
		// 4 and 2 bytes of E, and attention's 4E with 32 heads × 2,048 positions: more than the FFN's 2F.
		"teacher activations": {plan.Memory.TeacherActivations, tokens * (24576 + 32768 + 131072)},
		"student logits":      {plan.Memory.StudentLogits, 8 * tokens * 50304},
		"teacher logits":      {plan.Memory.TeacherLogits, 4 * tokens * 50432},
		"student KV cache":    {plan.StudentKVCache, 24 * 2 * 1024 * 2048 * 4},
		"teacher KV cache":    {plan.TeacherKVCache, 32 * 2 * 4096 * 2048 * 4},
		"teacher file":        {plan.TeacherFile, 13714604032},
		"student file":        {plan.StudentFile, 810668032},
		"checkpoint file":     {plan.CheckpointFile, 4864008192},
		"total": {plan.Memory.Total, 27429208064 + 16*405334016 + 155021475840 + tokens*188416 +
			8*tokens*50304 + 4*tokens*50432},
		"steps":  {plan.Budgets[0].Steps, 152588}, // 10e9/65536 = 152,587.9
		"shards": {plan.Budgets[0].Shards, 20e9},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d, want %d", name, pair[0], pair[1])
		}
	}
	for name, pair := range map[string][2]float64{
		// A teacher's layer: 4ED·2H + 4EF + 4THD = 436,207,616; its head 2VE = 413,138,944.
		"teacher forward":  {plan.Work.TeacherForward, tokens * 14371782656},
		"student forward":  {plan.Work.StudentForward, tokens * 908328960},
		"student backward": {plan.Work.StudentBackward, tokens * 2 * 908328960},
		"total work":       {plan.Work.Total, tokens * 17096769536},
		"budget":           {plan.Budgets[0].FLOPs, 1.7096769536e20},
		"seconds":          {plan.Budgets[0].Seconds, 431998.4}, // at 395.76 TFLOPS
	} {
		if math.Abs(pair[0]/pair[1]-1) > 1e-6 {
			t.Errorf("%s: %g, want %g", name, pair[0], pair[1])
		}
	}
	if plan.Fits {
		t.Error("220 GB fit into 80")
	}
}

// Korthikanti et al. 2022, equation 1: a layer takes sbh(34 + 5as/h) bytes, of which dropout, which no model here has,
// takes 2sbh for its two masks, and as²b and 2as²b for its mask and its output in attention. The inputs of norms are 2 bytes there,
// and 4 here.
func TestActivationsAgreeWithThePaper(t *testing.T) {
	p := paperPlan(t)
	p.Teacher.ParallelResidual = false
	p.Student.Config.ParallelResidual = false
	const s, b, h, a, layers = 2048, 32, 1024, 16, 24
	want := int64(layers*(s*b*h*(34-2+2*2)+(5-3)*a*s*s*b) + (4+2)*s*b*h) // the last norm and the head: 4sbh
	if got := p.studentActivations(false); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

// ZeRO, section 3.1: 16 bytes a parameter for weights, gradients and AdamW, with float16 and with float32.
func TestModelStatesAgreeWithZeRO(t *testing.T) {
	for _, kind := range []NumberType{Float16, BFloat16, Float32} {
		p := paperPlan(t)
		p.Type = kind
		m := p.stepMemory()
		if got := m.StudentWeights + m.MasterWeights + m.Gradients + m.Moments; got != 16*405334016 {
			t.Errorf("%s: %d bytes, want 16 a parameter", kind, got)
		}
	}
}

func TestPlanOptionsSaveMemory(t *testing.T) {
	base := paperPlan(t)
	change := func(f func(*Planned)) Plan {
		t.Helper()
		p := base
		f(&p)
		plan, err := p.Plan()
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	whole := change(func(*Planned) {})

	quarter := change(func(p *Planned) { p.Accumulate = 4 })
	if 4*quarter.Memory.StudentActivations != whole.Memory.StudentActivations || 4*quarter.Memory.TeacherLogits != whole.Memory.TeacherLogits {
		t.Errorf("a quarter of the batch at once: %+v", quarter.Memory)
	}
	if quarter.Memory.Gradients != 4*405334016 || quarter.Work != whole.Work {
		t.Errorf("accumulated gradients are float32, and the work is the same: %+v", quarter)
	}

	recomputed := change(func(p *Planned) { p.Checkpointing = true })
	if recomputed.Memory.StudentActivations != whole.RecomputedBytes {
		t.Errorf("recomputed activations: %d, want %d", recomputed.Memory.StudentActivations, whole.RecomputedBytes)
	}
	if want := 65536.0 * (908328960 - 2*50304*1024); recomputed.Work.Recomputation != want {
		t.Errorf("recomputation: %g FLOPs, want %g", recomputed.Work.Recomputation, want)
	}

	fused := change(func(p *Planned) { p.Fused = true })
	if want := int64(65536 * (24*(4096+28672+4*16) + 6144)); fused.Memory.StudentActivations != want {
		t.Errorf("fused attention: %d bytes, want %d", fused.Memory.StudentActivations, want)
	}

	paired := change(func(p *Planned) { p.Pairs = 2 })
	if want := int64(16*1024*4096 + 65536*2*4096*8); paired.Memory.Total-whole.Memory.Total != want || paired.CheckpointFile-whole.CheckpointFile != 12*1024*4096 {
		t.Errorf("with hidden states: %+v, want %d bytes more", paired.Memory, want)
	}
	if want := 65536.0 * 3 * 2 * 2 * 1024 * 4096; paired.Work.Total-whole.Work.Total != want {
		t.Errorf("with hidden states %g FLOPs more, want %g", paired.Work.Total-whole.Work.Total, want)
	}

	cached := change(func(p *Planned) { p.TopK = 64 })
	if cached.Memory.TeacherWeights != 0 || cached.Memory.TeacherLogits != 65536*64*8 {
		t.Errorf("with stored logits: %+v", cached.Memory)
	}
	if cached.Caching.TeacherWeights != whole.Memory.TeacherWeights || cached.Caching.StudentWeights != 0 {
		t.Errorf("storing them: %+v", cached.Caching)
	}
	if want := int64(10e9 * 64 * (2 + 2)); cached.Budgets[0].Logits != want {
		t.Errorf("%d bytes of stored logits, want %d", cached.Budgets[0].Logits, want)
	}
	all := change(func(p *Planned) { p.Accumulate, p.Checkpointing, p.Fused, p.TopK = 8, true, true, 64 })
	if !all.Fits {
		t.Errorf("%d bytes do not fit", all.Memory.Total)
	}
}

// A gated layer with grouped queries and norms of queries and keys: qwen3-0.6b, E 1024, Q 2048, K 1024, F 3072.
func TestActivationsOfGatedLayers(t *testing.T) {
	c, err := Published("qwen3-0.6b")
	if err != nil {
		t.Fatal(err)
	}
	p := Planned{SeqLen: 512, Type: Float32}
	values := int64(4*1024 + 2048 + 2*1024 + 2048 + (2048 + 1024) + 4*3072 + 16*512)
	if got := p.layerBytes(c, LayerSubnet{}.Shape(c), 1024); got != 4*values {
		t.Errorf("%d bytes a token, want %d", got, 4*values)
	}
	if c, err = Published("llama-3.1-8b"); err != nil {
		t.Fatal(err)
	}
	// Token ids above 65,535 take four bytes, on their own and beside a logit.
	p = Planned{Teacher: c, Student: Model{Config: c}, Batch: 1, SeqLen: 2, TopK: 10, Type: BFloat16, Device: devices["h100"], Utilization: 1}
	if b := p.budget(100, p.work()); b.Shards != 400 || b.Logits != 100*10*6 {
		t.Errorf("shards %d, logits %d", b.Shards, b.Logits)
	}
}

func TestPlanRefuses(t *testing.T) {
	for want, f := range map[string]func(*Planned){
		"longer than the context of pythia-6.9b, 2048": func(p *Planned) { p.SeqLen = 4096 },
		"a batch of 0 sequences":                       func(p *Planned) { p.Batch = 0 },
		"does not divide into 5 parts":                 func(p *Planned) { p.Accumulate = 5 },
		`dtype is "int8", want bf16, f16 or f32`:       func(p *Planned) { p.Type = "int8" },
		"the top 60000 logits of a vocabulary":         func(p *Planned) { p.TopK = 60000 },
		"25 pairs of layers: the student has 24":       func(p *Planned) { p.Pairs = 25 },
		"hidden states are not stored":                 func(p *Planned) { p.Pairs, p.TopK = 1, 8 },
		"a utilization of 1.5":                         func(p *Planned) { p.Utilization = 1.5 },
		"a utilization of NaN":                         func(p *Planned) { p.Utilization = math.NaN() },
		"computes 0 FLOPs":                             func(p *Planned) { p.Device = Device{} },
		"a budget of 0 tokens":                         func(p *Planned) { p.Tokens = []int64{0} },
		"embd: index 4095 is outside":                  func(p *Planned) { p.Student.Subnet.Embd = First(4096) },
	} {
		p := paperPlan(t)
		f(&p)
		if _, err := p.Plan(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A plan's JSON keeps its names and its values.
func TestPlanJSON(t *testing.T) {
	plan, err := paperPlan(t).Plan()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"student_parameters":405334016`, `"teacher_weights":27429208064`, `"teacher_logits":13220446208`,
		`"student_backward":`, `"top_k"`, `"tokens":[10000000000]`, `"fits":false`, `"recomputed_bytes":`, `"tokens_per_second":`} {
		if has := strings.Contains(string(text), want); has == (want == `"top_k"`) { // zero options are left out
			t.Errorf("%s in the JSON: %t\n%s", want, has, text)
		}
	}
}

func TestParseDevice(t *testing.T) {
	if d, err := ParseDevice("TFLOPS=120.5"); err != nil || d.FLOPS(Float32) != 120.5e12 || d.Memory != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := ParseDevice("a100"); err != nil || d.FLOPS(Float32) != 156e12 || d.FLOPS(BFloat16) != 312e12 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := ParseDevice("cpu"); err != nil || !(d.FLOPS(Float32) > 0) {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := ParseDevice("RTX-4090"); err != nil || d.Memory != 24e9 {
		t.Errorf("%+v, %v", d, err)
	}
	for _, text := range []string{"tpu", "TFLOPS=", "TFLOPS=0", "TFLOPS=-1", "TFLOPS=inf", "TFLOPS=NaN", ""} {
		if _, err := ParseDevice(text); err == nil {
			t.Errorf("%q is no device", text)
		}
	}
	if _, err := ParseDevice("tpu"); err == nil || !strings.Contains(err.Error(), "a10, a100, a40, b200, h100, h100 nvl, h100 pcie, h200, l4, l40s, rtx 3090, rtx 4090, cpu, TFLOPS=NUMBER") {
		t.Errorf("got %v", err)
	}
}

func TestFindDevice(t *testing.T) {
	for name, want := range map[string]string{"NVIDIA H200": "h200", "NVIDIA H100 80GB HBM3": "h100", "NVIDIA H100 PCIe": "h100 pcie", "NVIDIA A100-SXM4-40GB": "a100",
		"NVIDIA L4": "l4", "NVIDIA L40S": "l40s", "NVIDIA GeForce RTX 4090": "rtx 4090", "NVIDIA A10G": "", "NVIDIA GeForce RTX 4090 Laptop GPU": "", "Tesla V100": ""} {
		if d, ok := FindDevice(name); d.Name != want || ok != (want != "") || ok && d.FLOPS(BFloat16) <= d.FLOPS("") {
			t.Errorf("%q: %+v, %v; want %q", name, d, ok, want)
		}
	}
}

func TestParseCounts(t *testing.T) {
	for text, want := range map[string]int64{"410M": 410e6, "1.5B": 1.5e9, "2e9": 2e9, "30k": 30e3, "134515008": 134515008, "10b": 10e9, "1T": 1e12} {
		if got, err := ParseCount(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "M", "-1", "0", "1X", "NaN", "inf", "1e30", "0.1"} {
		if got, err := ParseCount(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	if b, err := ParseBin("410M"); err != nil || b != (Bin{389500000, 430500000}) {
		t.Errorf("%v, %v", b, err)
	}
	if b, err := ParseBin("390M-430M"); err != nil || b != (Bin{390e6, 430e6}) {
		t.Errorf("%v, %v", b, err)
	}
	for _, text := range []string{"", "M", "2M-1M", "1M-", "-5"} {
		if b, err := ParseBin(text); err == nil {
			t.Errorf("%q is %v", text, b)
		}
	}
}
