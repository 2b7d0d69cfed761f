package plots

import "testing"

func TestRelative(t *testing.T) {
	for path, want := range map[string]string{
		"M1 2L3.5 2L3.5 0.5L3 1Z":                        "M1 2h2.5v-1.5l-.5 .5z",
		"M1 2L3 3L5 4L4 4.25M10 10L10 11":                "M1 2l2 1 2 1-1 .25m6 5.75v1",
		"M1 1L2 1L2 2ZL0 0":                              "M1 1h1v1zl-1-1",
		"M18.5 67L48.7 67A2 2 0 0 1 50.7 69L50.7 85":     "M18.5 67h30.2a2 2 0 0 1 2 2v16",
		"M0 0C1 1 2 2 3 3C4 4 5 5 6 6":                   "M0 0c1 1 2 2 3 3 1 1 2 2 3 3",
		"M-5 -5l652.5 0l0 62.5l-652.5 0Z":                "M-5 -5l652.5 0l0 62.5l-652.5 0Z",
		"M0.01 0.01L0.02 0.01L0.04 0.01L-0.02 0.01L1 1Z": "M.01 .01h.01 .02-.06l1.02 .99z",
	} {
		if got := relative(path); got != want {
			t.Errorf("%s became %s, want %s", path, got, want)
		}
	}
}

func TestGathered(t *testing.T) {
	svg := "<rect/>\n" + `<text x="1" y="2" fill="red">a</text>` + "\n" + `<text x="3" y="2" fill="red">b</text>` + "\n" +
		`<path d="M0 0z" fill="red"/>` + "\n" + `<path d="M0 0z" stroke="red" fill="red"/>` + "\n" + `<path d="M0 0z" stroke="red" fill="blue"/>` + "\n" + `<path d="M1 1z" opacity="0.5" stroke="blue"/>` + "\n</svg>"
	want := "<rect/>\n" + `<g fill="red"><text x="1" y="2">a</text><text x="3" y="2">b</text><path d="M0 0z"/></g>` + "\n" + `<g stroke="red"><path d="M0 0z" fill="red"/><path d="M0 0z" fill="blue"/></g>` + "\n" +
		`<path d="M1 1z" opacity="0.5" stroke="blue"/>` + "\n</svg>"
	if got := gathered(svg); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
