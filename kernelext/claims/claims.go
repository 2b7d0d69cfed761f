// Package claims says in a notebook what came out of it, in sentences that are checked.
//
// A sentence in a notebook's text was true on the day it was written. One that a cell says is computed from the run above it, and
// says so when the run does not support it:
//
//	claims.Holds(subnet < random, "After the same FLOPs the sub-network ends at %.3f, random weights at %.3f.", subnet, random)
//	claims.Within(saved, 2, 20, "It takes %.1f times fewer tokens.", saved)
//
// Below the cell is the sentence with a tick, or marked as not supported, and why. The notebook goes on: its reader may have chosen
// another scale or another teacher, and sees what became of the claim. `lab test` fails on it: run_notebook.py looks for the claims
// among a cell's outputs, by their metadata. What a machine lacks the means to ask is [Unchecked], which `lab test` names among what
// it skipped.
package claims

import (
	"fmt"
	"html"

	"github.com/offshoot-ml/offshoot/kernelext/output"
)

// Claim is a sentence and whether the run supports it.
type Claim struct {
	Text  string
	Holds bool
	Why   string // it does not
	Open  bool   // it was not asked
}

// Holds shows a sentence, formatted as by [fmt.Sprintf], that is true if holds is, and reports whether it is.
func Holds(holds bool, format string, args ...any) bool {
	c := Claim{Text: fmt.Sprintf(format, args...), Holds: holds}
	if !holds {
		c.Why = "this run does not support it"
	}
	c.show()
	return holds
}

// Within shows a sentence about a number that lies in the band from low to high, which was recorded when the notebook was written:
// wide enough for other machines and seeds, too narrow for a mistake. It reports whether the number does. No number (NaN) lies in
// any band.
func Within(value, low, high float64, format string, args ...any) bool {
	c := Claim{Text: fmt.Sprintf(format, args...), Holds: low <= value && value <= high}
	if !c.Holds {
		c.Why = fmt.Sprintf("%.4g is outside the recorded band, %.4g to %.4g", value, low, high)
	}
	c.show()
	return c.Holds
}

// UncheckedMark is the mark of an [Unchecked] claim in an output's metadata, under "offshoot".
const UncheckedMark = "unchecked claim"

// Unchecked shows what this machine lacks the means to ask, and what to do about it.
func Unchecked(format string, args ...any) {
	Claim{Text: fmt.Sprintf(format, args...), Open: true}.show()
}

// String is such as "✓ Evolution ends lower." or "✗ Evolution ends lower. (this run does not support it)".
func (c Claim) String() string {
	if c.Open {
		return "– " + c.Text
	}
	if c.Holds {
		return "✓ " + c.Text
	}
	return fmt.Sprintf("✗ %s (%s)", c.Text, c.Why)
}

// Colours are JupyterLab's, so that a claim follows its themes; the others are for where it is read without them.
const (
	lineStyle   = "margin:.2em 0;line-height:1.5;color:var(--jp-ui-font-color1,inherit)"
	tickStyle   = "color:var(--jp-success-color0,#1b7d3c);font-weight:600"
	crossStyle  = "color:var(--jp-error-color0,#b71c1c);font-weight:600"
	openStyle   = "color:var(--jp-ui-font-color2,#666);font-weight:600"
	reasonStyle = "color:var(--jp-error-color0,#b71c1c)"
)

func (c Claim) html() string {
	mark, style, reason := "✓", tickStyle, ""
	if c.Open {
		mark, style = "–", openStyle
	} else if !c.Holds {
		mark, style = "✗", crossStyle
		reason = fmt.Sprintf(` <span style="%s">(%s)</span>`, reasonStyle, html.EscapeString(c.Why))
	}
	return fmt.Sprintf(`<div style="%s"><span style="%s">%s</span> %s%s</div>`, lineStyle, style, mark, html.EscapeString(c.Text), reason)
}

// metadata says what became of the claim, for who checks notebooks.
func (c Claim) metadata() map[string]any {
	mark := "unsupported claim"
	if c.Open {
		mark = UncheckedMark
	} else if c.Holds {
		mark = "claim"
	}
	return map[string]any{"offshoot": mark}
}

// show puts it below the cell, or on standard output outside a notebook.
func (c Claim) show() { output.Show(c.html(), c.String(), c.metadata()) }
