package plots

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestPickShowsWhatIsClicked(t *testing.T) {
	p := slm.Population{Candidates: []slm.Candidate{{ID: 3, Loss: 5}, {ID: 7, Loss: 4}, {ID: 9, Loss: 6}}}
	k := newPicking(p, nil)
	ctx, interrupt := context.WithCancel(t.Context())
	var shown []int
	k.draw = func(c slm.Candidate) {
		if shown = append(shown, c.ID); c.ID == 9 {
			interrupt()
		}
	}
	k.showBest()
	messages := make(chan string, 2)
	go func() {
		for _, message := range []string{"", "undefined", "8", "3.0", "<script>", "9"} {
			messages <- message
		}
	}()
	k.follow(ctx, messages)
	if want := []int{7, 9}; !slices.Equal(shown, want) {
		t.Errorf("shown are %v, want %v", shown, want)
	}
}

func TestPickShowsTheLatest(t *testing.T) {
	messages := make(chan string, 3)
	messages <- "4"
	messages <- "5"
	if got := latest("3", messages); got != "5" || len(messages) > 0 {
		t.Errorf("of three clicks %q is shown, %d are left", got, len(messages))
	}
}

func TestPickTellsTheStory(t *testing.T) {
	k := newPicking(slm.Population{}, nil)
	for want, c := range map[string]slm.Candidate{
		"Candidate #12 of generation 3, crossover of #4 and #7: 30M parameters, loss 3.000, perplexity 20.1": {ID: 12, Generation: 3, Origin: "crossover", Parents: []int{4, 7}, Parameters: 30e6, Loss: 3},
		"Candidate #1 of generation 0, random: 1M parameters, failed: no number":                             {ID: 1, Origin: "random", Parameters: 1e6, Failure: "no number"},
	} {
		if got := k.story(c); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	if id := (candidate{id: 31}).point(9).Value.([]any)[idOfPoint]; id != 31 {
		t.Errorf("a click on candidate 31 tells %v", id)
	}
	k.showBest() // of an empty search there is none
	if !strings.Contains(figureScript, `"offshoot-click"`) {
		t.Error("figures do not tell of clicks")
	}
}
