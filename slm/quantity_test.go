package slm

import "testing"

func TestQuantities(t *testing.T) {
	for want, got := range map[string]string{
		"13.7 GB": Amount(13714604032, "B"), "0 B": Amount(0, "B"), "999 B": Amount(999, "B"), "1 kB": Amount(999.9, "B"),
		"119 s": Duration(119), "2 min": Duration(120), "23.6 h": Duration(84960), "4.92 days": Duration(425088), "3 years": Duration(3 * 365 * 24 * 3600),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
