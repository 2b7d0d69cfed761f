package plots

import (
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"strings"
)

//go:embed inks.js
var inksScript string

//go:embed figure.js
var figureScript string

// HTML is the figure as a piece of a page: the static picture, and a script that replaces it by the interactive chart
// where scripts run and the page's own server has ECharts, as JupyterLab started by the lab does. Without ECharts on
// this machine the static picture is left out, and the figure's words stand in for it.
func (f Figure) HTML() string {
	svg, _ := f.SVG()
	return f.fragment(svg)
}

// fragment is HTML with the static picture given; "" for none.
//
// The picture is an image with its data inside, since those survive what code hosts and untrusted notebooks strip:
// scripts, styles and inline SVG.
func (f Figure) fragment(svg string) string {
	words := html.EscapeString(strings.TrimSpace(f.Title + ". " + f.Caption))
	picture := "<p>" + words + "</p>"
	if svg != "" {
		picture = fmt.Sprintf(`<img alt="%s" width="%d" height="%d" style="max-width:100%%;height:auto" src="data:image/svg+xml;base64,%s">`,
			words, f.Width, f.Height, base64.StdEncoding.EncodeToString([]byte(svg)))
	}
	script, err := f.script()
	if err != nil {
		return "<p>" + html.EscapeString(err.Error()) + "</p>"
	}
	id := rand.Text()[:12]
	return fmt.Sprintf("<div class=\"offshoot-figure\" data-figure=\"%s\">%s</div>\n<script>\n(function () {\n%s%sliven(%s, %s, %d, %d);\n})();\n</script>\n",
		id, picture, inksScript, figureScript, quoted(id), script, f.Height, f.Width*3/2)
}
