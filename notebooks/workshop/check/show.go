package check

import (
	"fmt"
	"html"
	"os"

	"github.com/offshoot-ml/offshoot/kernelext/output"
)

// SolvedVariable is the environment variable under which notebooks must have all their exercises solved: the tests set it for the
// workshop's solutions.
const SolvedVariable = "OFFSHOOT_SOLVED"

// Show puts the verdict below the cell, or prints it where there is no notebook. An open exercise and a wrong answer are no errors: the
// cells that follow run all the same. Under OFFSHOOT_SOLVED they end the cell with one.
func (v Verdict) Show() {
	output.Show(v.HTML(), v.String(), nil)
	if v.Outcome != Solved && os.Getenv(SolvedVariable) != "" {
		fmt.Fprintf(os.Stderr, "exercise %s is not solved, and %s is set\n", v.Exercise, SolvedVariable)
		os.Exit(1)
	}
}

// Styles are inline, with JupyterLab's colours, so that verdicts follow its light and dark themes; elsewhere they inherit.
const (
	frameStyle = "max-width:52em;padding:.5em .9em;border-left:4px solid %s;background:var(--jp-layout-color2,#8881);" +
		"font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.5;color:var(--jp-ui-font-color1,inherit)"
	hintStyle = "margin-top:.3em;color:var(--jp-ui-font-color2,inherit)"
)

// mark is how an outcome looks. The sign tells it to those who do not tell the colours.
type mark struct{ sign, colour string }

func (v Verdict) mark() mark {
	switch v.Outcome {
	case Solved:
		return mark{"✓", "var(--jp-success-color1,#2e7d32)"}
	case Wrong:
		return mark{"✗", "var(--jp-error-color1,#c62828)"}
	}
	return mark{"…", "var(--jp-info-color1,#0277bd)"}
}

// HTML is the verdict as a part of a page.
func (v Verdict) HTML() string {
	m := v.mark()
	page := fmt.Sprintf(`<div style="`+frameStyle+`"><b>%s %s</b>: %s`, m.colour, m.sign, html.EscapeString(v.Exercise), html.EscapeString(v.Says))
	if v.Hint != "" {
		page += fmt.Sprintf(`<div style="%s">%s%s</div>`, hintStyle, hintLabel, html.EscapeString(v.Hint))
	}
	return page + "</div>"
}
