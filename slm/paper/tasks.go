package paper

// Task is a task of lm-eval, and the one of its metrics that is looked at.
type Task struct {
	Name   string
	Metric string  // as lm-eval names it
	Chance float64 // what guessing scores: one in so many choices; 0 where there are none to guess among
}

// Choice reports whether the metric is a share of right answers, among choices that can be guessed.
func (t Task) Choice() bool { return t.Chance > 0 }

// goTasks are those that notebooks/paper/tasks makes, on Go files that no sprout was trained on.
var goTasks = []Task{
	{"next_line", "acc_norm", 1. / 4},
	{"go_text", "bits_per_byte", 0},
}

// publishedTasks are zero-shot ones of those on which Pythia was published (Biderman et al. 2023, arXiv 2304.01373), and HellaSwag,
// each by the metric under which lm-eval's results are usually reported.
var publishedTasks = []Task{
	{"arc_easy", "acc", 1. / 4},
	{"sciq", "acc", 1. / 4},
	{"piqa", "acc", 1. / 2},
	{"winogrande", "acc", 1. / 2},
	{"hellaswag", "acc_norm", 1. / 4},
	{"lambada_openai", "perplexity", 0},
}

// TaskNames are those of the scale's tasks.
func (s Scale) TaskNames() (names []string) {
	for _, t := range s.Tasks {
		names = append(names, t.Name)
	}
	return names
}
