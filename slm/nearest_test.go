package slm

import (
	"fmt"
	"strings"
	"testing"
)

// A bin between what a space reaches is answered by the counts on both of its sides: here all are known.
func TestUnreachableBinNamesTheNearest(t *testing.T) {
	teacher := smol(t)
	for _, scope := range []Scope{Uniform, LayerWise} {
		space, err := Space{Granularity: Coarse, Scope: scope, Depth: Dim{Min: 4, Max: 8, Step: 4}, Embd: Frozen(288), QueryGroups: Frozen(3),
			HeadsPerGroup: Frozen(3), FFN: Frozen(768)}.For(teacher)
		if err != nil {
			t.Fatal(err)
		}
		four, eight := space.Reach(teacher)
		for _, c := range []struct {
			bin  Bin
			want string
		}{
			{Bin{four + 1, eight - 1}, fmt.Sprintf("%d (%s) and %d (%s)", four, Count(four), eight, Count(eight))},
			{Bin{eight + 1, eight + 100}, "they have " + Count(four)},
			{Bin{1, four - 1}, "they have " + Count(four)},
		} {
			err := Search{Space: space, Bin: c.bin}.WithDefaults().Validate(teacher)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: error %v, want %s", scope, c.bin, err, c.want)
			}
		}
		if err := (Search{Space: space, Bin: Bin{four, four}}).WithDefaults().Validate(teacher); err != nil {
			t.Errorf("%s: the exact count is refused: %v", scope, err)
		}
	}
}
