package slm

// Score is how well a model does in a task whose answers are right or wrong.
type Score struct {
	Model, Task string
	Accuracy    float64 // the share of right answers
	StdErr      float64 // the standard error of Accuracy
	Chance      float64 // what guessing scores; 0 where that is not known
}

// Above is by how many standard errors the accuracy is above guessing.
func (s Score) Above() float64 { return (s.Accuracy - s.Chance) / s.StdErr }
