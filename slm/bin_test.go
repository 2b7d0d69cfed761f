package slm

import (
	"strings"
	"testing"
)

func TestParseBin(t *testing.T) {
	for text, want := range map[string]Bin{
		"410M":          {389.5e6, 430.5e6},
		"400M±2%":       {392e6, 408e6},
		"400M+-2.5%":    {390e6, 410e6},
		"390M-430M":     {390e6, 430e6},
		"405334016±0%":  {405334016, 405334016},
		PaperBins[0]:    Around(405334016, 0.05),
		"Pythia-1B":     Around(1011781632, 0.05),
		PaperBins[2]:    Around(2775208960, 0.05),
		"smollm2-135m":  Around(134515008, 0.05),
		"30000k-0.031B": {30e6, 31e6},
	} {
		if got, err := ParseBin(text); err != nil || got != want {
			t.Errorf("%s: %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "410M±", "410M±5", "410M±-1%", "410M±100%", "430M-390M", "1-", "±5%", "pythia-9000b"} {
		if bin, err := ParseBin(text); err == nil || !strings.Contains(err.Error(), "bin") {
			t.Errorf("%q gave %+v (%v)", text, bin, err)
		}
	}
}

func FuzzParseBin(f *testing.F) {
	for _, text := range []string{"410M", "400M±2%", "390M-430M", "pythia-410m", "1e18±99%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if bin, err := ParseBin(text); err == nil && bin.Validate() != nil {
			t.Errorf("%q gave %+v", text, bin)
		}
	})
}
