package slm

// Spent is the time of a step's parts, in seconds. A part that a step did without is 0, and so are all of them in records that are
// older than this one.
type Spent struct {
	Data       float64 `json:"data,omitzero"`       // waiting for the step's batches
	Teacher    float64 `json:"teacher,omitzero"`    // asking the teacher, or reading what is kept of its logits
	Student    float64 `json:"student,omitzero"`    // forward and backward pass and the update; in a first step compiling them, too
	Validation float64 `json:"validation,omitzero"` // measuring the held-out loss after it
	Checkpoint float64 `json:"checkpoint,omitzero"` // writing the checkpoint before it, in the same process
}

// Part is the time of one part, in seconds.
type Part struct {
	Name    string
	Seconds float64
}

// Parts are all parts, always in this order.
func (s Spent) Parts() []Part {
	return []Part{{"data", s.Data}, {"teacher", s.Teacher}, {"student", s.Student}, {"validation", s.Validation}, {"checkpoint", s.Checkpoint}}
}

// Plus is the time of both.
func (s Spent) Plus(o Spent) Spent {
	return Spent{s.Data + o.Data, s.Teacher + o.Teacher, s.Student + o.Student, s.Validation + o.Validation, s.Checkpoint + o.Checkpoint}
}

// Total is the time of all parts, in seconds.
func (s Spent) Total() (sum float64) {
	for _, p := range s.Parts() {
		sum += p.Seconds
	}
	return sum
}

// Spent is the time of the parts of the run's steps so far.
func (c Curve) Spent() (sum Spent) {
	for _, p := range c.Points {
		sum = sum.Plus(p.Spent)
	}
	return sum
}
