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
	return f.fragment(svg, rand.Text()[:12])
}

// fragment is HTML with the static picture given, "" for none, and a name that no other figure of the page has.
//
// The picture is an image with its data inside, since those survive what code hosts and untrusted notebooks strip:
// scripts, styles and inline SVG.
func (f Figure) fragment(svg, name string) string {
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
	return fmt.Sprintf("<div class=\"offshoot-figure\" data-figure=\"%s\">%s</div>\n<script>\n(function () {\n%s%sliven(%s, %s, %d, %d);\n})();\n</script>\n",
		html.EscapeString(name), picture, inksScript, figureScript, quoted(name), script, f.Height, f.Width*3/2)
}

// moving is a script that gives the interactive chart of that name this figure's points, where there is one.
func (f Figure) moving(name string) (string, error) {
	script, err := f.script()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("<script>\ndocument.querySelectorAll('.offshoot-figure[data-figure=' + JSON.stringify(%s) + ']').forEach(function (host) {\n"+
		"  if (host.offshootMove) host.offshootMove(%s);\n});\n</script>\n", quoted(name), script), nil
}
