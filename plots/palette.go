package plots

// Inks are colours that depend on the reader's theme. An option names them; they are mixed when the figure is drawn,
// from JupyterLab's style sheet in a page (figure.js), from [paperInks] in a static picture.
const (
	inkText  = "$text"  // words and marks
	inkMuted = "$muted" // captions, axes
	inkFaint = "$faint" // grid lines, what is not there
	inkPaper = "$paper" // the background
)

// paperInks are the inks of a static picture: dark on a white sheet of its own, which reads on every background.
var paperInks = map[string]string{
	inkText:  "#1a1a1a",
	inkMuted: "#555555",
	inkFaint: "#dddddd",
	inkPaper: "#ffffff",
}

// darkInks are those of a static picture on a dark sheet, as [Page] has them in the dark.
var darkInks = map[string]string{
	inkText:  "#f2f2f2",
	inkMuted: "#b0b0b0",
	inkFaint: "#444444",
	inkPaper: "#111111",
}

// categorical are colours for things without an order (Okabe and Ito 2008), without black and yellow, which vanish in
// one theme or the other.
var categorical = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"}

// symbols double the colours, for readers and printers without any.
var symbols = []string{"circle", "triangle", "rect", "diamond", "roundRect", "pin"}

// viridis is the colour map of that name between a third and nine tenths, which keeps off the dark and the white sheet.
var viridis = []string{"#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b"}

// sequential picks n colours for things with an order, evenly spread over viridis.
func sequential(n int) []string {
	colours := make([]string, n)
	for i := range colours {
		at := len(viridis) - 1
		if n > 1 {
			at = (i*(len(viridis)-1) + (n-1)/2) / (n - 1)
		}
		colours[i] = viridis[at]
	}
	return colours
}
