package kernelext

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDashboardCard(t *testing.T) {
	now := time.Date(2026, 11, 28, 21, 40, 5, 0, time.UTC)
	s := Status{Backend: "xla:cpu", Devices: []Device{{Name: "a GPU", Used: 12 << 30, Total: 140 << 30, Busy: 0.87}, {Name: "another"}}, Memory: 3 << 29, Started: now,
		Teachers: []Held{{Name: "smollm2-135m", Bytes: 513 << 20}}, Runs: []Held{{Lab: "a", Name: "<b>", Bytes: 1 << 20, Steps: 7}},
		Jobs: []Job{
			{Lab: "a", Verb: "steps", Name: "<b>", Since: now.Add(-65 * time.Second), Running: true, Done: 12, Total: 50, Unit: "steps", Rate: 510, Left: 41},
			{Lab: "b", Verb: "search", Name: "30M", Since: now.Add(-3 * time.Second)},
			{Lab: "a", Verb: "teacher", Name: "t", Since: now, Running: true, Message: "loading t"}}}
	card := dashboardCard(s, now)
	for _, want := range []string{"21:40:05", "steps <b> of lab a, running for 1 min 5 s\n", "  12 of 50 steps · 510 tokens/s · 41 s left\n",
		"search 30M of lab b, waiting for 3.0 s\n", "teacher t of lab a, running for 0.0 s\n", "  loading t\n", "smollm2-135m, 513 MiB", "<b> of lab a at step 7, 1 MiB",
		"a GPU: 12 GiB of 140 GiB in use, busy 87%", "  another", "1.5 GiB in the host"} {
		if !strings.Contains(card.text, want) {
			t.Errorf("the dashboard lacks %q:\n%s", want, card.text)
		}
	}
	if !strings.Contains(card.html, "width:24.0%") || strings.Contains(card.html, "<b>") {
		t.Errorf("no bar at 24%%, or a name that is not escaped:\n%s", card.html)
	}
	wellFormed(t, strings.ReplaceAll(card.html, "<br>", "<br/>"))
	if text := dashboardCard(Status{}, now).text; !strings.Contains(text, "nothing") {
		t.Errorf("an idle host does not say so:\n%s", text)
	}
}

func TestDashboardEnds(t *testing.T) {
	asked := 0
	ask := func(context.Context) (Status, error) { asked++; return Status{}, nil }
	if err := watchHost(t.Context(), ask, false); err != nil || asked != 1 {
		t.Errorf("where nobody watches it asked %d times, %v", asked, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := watchHost(ctx, func(ctx context.Context) (Status, error) {
		if asked++; asked == 3 {
			cancel()
		}
		return Status{}, ctx.Err()
	}, true)
	if err != nil || asked != 3 {
		t.Errorf("interrupted, it asked %d times, %v", asked, err)
	}
	gone := func(context.Context) (Status, error) { return Status{}, errGone }
	if err := watchHost(t.Context(), gone, true); !errors.Is(err, errGone) {
		t.Errorf("without its host: %v", err)
	}
}
