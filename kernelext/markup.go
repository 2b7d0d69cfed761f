package kernelext

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Styles are inline and use JupyterLab's colours, so that cards follow its light and dark themes; elsewhere they inherit.
const (
	cardStyle = "display:inline-block;min-width:22em;max-width:52em;padding:.7em 1em;border:1px solid var(--jp-border-color2,#8884);" +
		"border-radius:6px;font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.5;color:var(--jp-ui-font-color1,inherit)"
	titleStyle = "font-weight:600;font-size:14px;margin-bottom:.35em"
	quietStyle = "color:var(--jp-ui-font-color2,#777)"
	tableStyle = "border-collapse:collapse;margin:0;font-size:13px;color:inherit"
	labelStyle = "text-align:left;padding:1px 1.2em 1px 0;white-space:nowrap;vertical-align:top;color:var(--jp-ui-font-color2,#777);font-weight:normal"
	valueStyle = "text-align:left;padding:1px 0;vertical-align:top"
	countStyle = "text-align:right;padding:1px 0 1px 1.2em;font-variant-numeric:tabular-nums"
	trackStyle = "display:inline-block;width:14em;height:.55em;margin-right:.7em;border-radius:4px;overflow:hidden;background:var(--jp-layout-color3,#8883)"
	fillStyle  = "display:block;height:100%;background:var(--jp-brand-color1,#1976d2)"
)

// card is a titled list of labels and values, built in both of its forms at once.
type card struct {
	title string
	rows  []row
	after string // HTML
	notes string // its text
}

// row is a line of a card. One with a share is a count and its share, both aligned to the right. A bar, in HTML, is before the value.
type row struct{ label, value, share, bar string }

func (c *card) add(label, format string, args ...any) {
	c.rows = append(c.rows, row{label: label, value: fmt.Sprintf(format, args...)})
}

// shown renders the card. Every text is escaped here.
func (c *card) shown() shown {
	var page, text strings.Builder
	fmt.Fprintf(&page, `<div style="%s"><div style="%s">%s</div>%s%s</div>`, cardStyle, titleStyle, html.EscapeString(c.title), table(c.rows), c.after)
	fmt.Fprintln(&text, c.title)
	width := 0
	for _, r := range c.rows {
		width = max(width, len(r.label))
	}
	for _, r := range c.rows {
		fmt.Fprintf(&text, "  %-*s  %s\n", width, r.label, strings.ReplaceAll(strings.TrimSpace(r.value+"  "+r.share), "\n", "\n"+strings.Repeat(" ", width+4)))
	}
	text.WriteString(c.notes)
	return shown{page.String(), strings.TrimRight(text.String(), "\n")}
}

func table(rows []row) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<table style="%s"><tbody>`, tableStyle)
	for _, r := range rows {
		fmt.Fprintf(&b, `<tr style="background:none"><th style="%s">%s</th>`, labelStyle, html.EscapeString(r.label))
		if r.share == "" {
			value := strings.ReplaceAll(html.EscapeString(r.value), "\n", "<br>")
			fmt.Fprintf(&b, `<td style="%s">%s%s</td></tr>`, valueStyle, r.bar, value)
			continue
		}
		fmt.Fprintf(&b, `<td style="%s">%s</td><td style="%s">%s</td></tr>`, countStyle, html.EscapeString(r.value), countStyle, html.EscapeString(r.share))
	}
	b.WriteString("</tbody></table>")
	return b.String()
}

// bar is a progress bar; its share is from 0 to 1.
func bar(share float64) string {
	return fmt.Sprintf(`<span style="%s"><span style="%s;width:%.1f%%"></span></span>`, trackStyle, fillStyle, 100*math.Max(0, math.Min(1, share)))
}

// share is a bar of a part of a whole; none where the whole is not known.
func share(part, whole int64) string {
	if whole <= 0 {
		return ""
	}
	return bar(float64(part) / float64(whole))
}

// bytesText is such as "1.25 GiB".
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v := float64(n)
	i := 0
	for ; v >= 1023.5 && i < len(units)-1; i++ {
		v /= 1024
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}

// duration is such as "0.8 s", "41 s" or "3 min 5 s".
func duration(seconds float64) string {
	switch whole := int(math.Round(seconds)); {
	case seconds < 9.95:
		return fmt.Sprintf("%.1f s", seconds)
	case whole < 60:
		return fmt.Sprintf("%d s", whole)
	case whole < 3600:
		return fmt.Sprintf("%d min %d s", whole/60, whole%60)
	}
	d := time.Duration(seconds * float64(time.Second))
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// perplexityText writes a perplexity with four significant digits: 18.75, 111,300.
func perplexityText(p float64) string {
	switch {
	case p >= 1e9 || p != p: // NaN, of an empty search
		return fmt.Sprintf("%.3g", p)
	case p >= 1e4:
		unit := math.Pow(10, math.Floor(math.Log10(p))-3)
		return slm.Thousands(int64(math.Round(p/unit) * unit))
	}
	return fmt.Sprintf("%.4g", p)
}
