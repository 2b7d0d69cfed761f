package plots

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"os"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Show puts figures below the notebook cell that runs, each in an output of its own that holds both forms: the page's
// and the static picture. A figure that cannot be drawn leaves its reason on the cell's standard error.
//
// Outside a notebook it shows nothing and says so; use [Figure.WriteFile] there.
func Show(figures ...Figure) {
	if !gonbui.IsNotebook {
		fmt.Fprintf(os.Stderr, "plots.Show: not in a notebook, %d figure(s) not shown; Figure.WriteFile(\"figure.html\") writes one\n", len(figures))
		return
	}
	for _, f := range figures {
		send(f, "")
	}
	if err := gonbui.Error(); err != nil {
		fmt.Fprintln(os.Stderr, "plots.Show:", err)
		return
	}
	gonbui.Sync()
}

// Update shows a figure in the output with the given name, and replaces what an earlier Update in the same process
// put there: a figure of work that is running. Make the name unique, for instance with gonbui.UniqueId.
func Update(name string, f Figure) {
	if gonbui.IsNotebook {
		send(f, name)
	}
}

// said is the last complaint, so that the figures of a cell do not repeat it.
var said string

func send(f Figure, id string) {
	data, err := f.display(id)
	if err != nil && err.Error() != said {
		said = err.Error()
		fmt.Fprintln(os.Stderr, err)
	}
	gonbui.SendData(data)
}

// display is the figure in the forms between which a notebook's readers choose: as much of them as can be drawn, and
// why the rest cannot.
func (f Figure) display(id string) (*protocol.DisplayData, error) {
	svg, err := f.SVG()
	data := map[protocol.MIMEType]any{
		protocol.MIMETextHTML:  f.fragment(svg, cmp.Or(id, rand.Text()[:12])),
		protocol.MIMETextPlain: f.Title + "\n" + f.Caption,
	}
	if svg != "" {
		data[protocol.MIMEImageSVG] = svg
	}
	shown := &protocol.DisplayData{Data: data, DisplayID: id}
	if f.blank() { // for tests of notebooks
		shown.Metadata = map[string]any{"offshoot": "figure without data"}
	}
	return shown, err
}
