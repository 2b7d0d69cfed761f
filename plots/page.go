package plots

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"strings"
)

// Page is an HTML document of figures below each other, interactive wherever it is opened: ECharts is inside, once, so that it works
// from a disk without a network. Without scripts it shows the static pictures. It takes 1.1 MB and 20 to 200 KB a figure.
func Page(title string, figures ...Figure) (string, error) {
	if len(figures) == 0 {
		return "", errors.New("plots: a page needs a figure")
	}
	echarts, err := echartsScript()
	if err != nil {
		return "", err
	}
	var body strings.Builder
	if len(figures) > 1 { // the one figure has its own title
		fmt.Fprintf(&body, "<h1>%s</h1>\n", html.EscapeString(title))
	}
	for _, f := range figures {
		svg, err := f.SVG()
		if err != nil {
			return "", err
		}
		body.WriteString(f.fragment(svg, rand.Text()[:12]))
	}
	return fmt.Sprintf(pageTemplate, html.EscapeString(title), strings.ReplaceAll(echarts, "</script", `<\/script`), body.String()), nil
}

// WritePage writes [Page] into a file, which is replaced only when it has been written in full.
func WritePage(path, title string, figures ...Figure) error {
	text, err := Page(title, figures...)
	if err != nil {
		return err
	}
	return writeWhole(path, text)
}

// pageTemplate takes the reader's light or dark theme from the browser, under the names that JupyterLab uses.
const pageTemplate = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%s</title>
<style>
:root { color-scheme: light dark; --jp-layout-color0: #ffffff; --jp-ui-font-color1: #1a1a1a; --jp-ui-font-color2: #555555; --jp-border-color2: #dddddd; }
@media (prefers-color-scheme: dark) {
  :root { --jp-layout-color0: #111111; --jp-ui-font-color1: #f2f2f2; --jp-ui-font-color2: #b0b0b0; --jp-border-color2: #444444; }
}
body { margin: 16px; background: var(--jp-layout-color0); color: var(--jp-ui-font-color1); font-family: sans-serif; }
.offshoot-figure { margin-bottom: 32px; }
</style>
<script>%s</script>
</head>
<body>
%s</body>
</html>
`
