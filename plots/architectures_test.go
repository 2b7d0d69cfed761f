package plots

import (
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestArchitecturesNumbers(t *testing.T) {
	pythia, err := slm.Published("pythia-14m")
	if err != nil {
		t.Fatal(err)
	}
	student := slm.Subnet{Embd: slm.First(6), Layers: []slm.LayerSubnet{{Layer: 1, Heads: slm.IndicesOf(0, 1, 2)}}}.Architecture(tiny, "<b>")
	uneven := slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0, FFN: slm.First(64)}, {Layer: 1}}}.Architecture(tiny, "uneven")
	n := architecturesNumbers(tiny, []slm.Architecture{pythia.Architecture(), student, uneven})
	if got := strings.Join(n.names, " "); got != "tiny pythia-14m <b> uneven" || n.kinds[0] != 0 || n.kinds[1] != 1 || n.kinds[2] != 2 {
		t.Errorf("models %s of kinds %v", got, n.kinds)
	}
	// Of the student, E is 6: attention 2·6·2·(3+2), FFN 3·6·256.
	for _, c := range []struct {
		column, model int
		want          cell
	}{
		{0, 1, cell{6, 6, 6, 3}}, {0, 2, cell{1, 1, 1, 0.5}}, {1, 2, cell{6, 6, 6, 0.75}}, {2, 2, cell{3, 3, 3, 0.75}},
		{5, 3, cell{160, 64, 256, 0.625}}, {7, 2, cell{6, 6, 6, 1.5}}, {8, 2, cell{38.4, 38.4, 38.4, 38.4 / (3 * 256. / 24)}},
	} {
		if got := n.columns[c.column].cells[c.model]; got != c.want {
			t.Errorf("%s of %s: %+v, want %+v", n.columns[c.column].what, n.names[c.model], got, c.want)
		}
	}
	for _, c := range []struct {
		model, column int
		want          string
	}{
		{2, 0, "<b>&lt;b&gt;</b><br>layers: <b>1</b><br>×0.50 the teacher's 2"},
		{3, 5, "<b>uneven</b><br>FFN neurons in a layer: <b>160</b> on average, 64 to 256<br>×0.62 the teacher's 256"},
	} {
		if got := n.story(c.model, c.column); got != c.want {
			t.Errorf("tooltip %q, want %q", got, c.want)
		}
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0.42: "0.4", 2.003: "2", 53.33: "53.3", 99.97: "100", 999.6: "1,000", 1024: "1,024", 9999: "9,999", 12288: "12.3k", 134_515_008: "135M"} {
		if got := number(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
}

func TestArchitecturesPictures(t *testing.T) {
	needECharts(t)
	var published []slm.Architecture
	for _, name := range slm.PublishedNames() {
		c, _ := slm.Published(name)
		published = append(published, c.Architecture())
	}
	many := append(published, sampleSubnet(largest, 1).Architecture(largest, "a student with a very long name"))
	for _, c := range []struct {
		name   string
		figure Figure
		mostKB int
		want   []string
	}{
		{"teacher alone", Architectures(tiny), 20, []string{"Architectures beside tiny", "attention", "teacher"}},
		{"many", Architectures(largest, many...), 100, []string{"pythia-12b", "a student wi…", "published"}},
	} {
		t.Run(c.name, func(t *testing.T) { checkPicture(t, c.figure, c.mostKB, c.want...) })
	}
}
