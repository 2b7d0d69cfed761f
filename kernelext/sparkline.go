package kernelext

import (
	"fmt"
	"math"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// sparkline is a small picture of a run: its training loss as a line, its validations as dots. It is empty before the
// second step.
func sparkline(points []slm.Point) string {
	const width, height, margin = 160.0, 28.0, 3.0
	var line, dots []slm.Point
	for _, p := range points {
		if p.Loss != 0 {
			line = append(line, p)
		}
		if p.Validation != 0 {
			dots = append(dots, p)
		}
	}
	if len(line) < 2 {
		return ""
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range line {
		low, high = math.Min(low, p.Loss), math.Max(high, p.Loss)
	}
	for _, p := range dots {
		if p.Step > 0 { // the student before training is often far above all that follows
			low, high = math.Min(low, p.Validation), math.Max(high, p.Validation)
		}
	}
	first, last := float64(line[0].Step), float64(line[len(line)-1].Step)
	x := func(step int) float64 { return margin + (width-2*margin)*(float64(step)-first)/math.Max(1, last-first) }
	y := func(loss float64) float64 {
		return margin + (height-2*margin)*(high-math.Min(loss, high))/math.Max(1e-9, high-low)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg width="%g" height="%g" viewBox="0 0 %g %g" role="img" aria-label="training loss and validation" style="vertical-align:middle;margin-left:.8em"><polyline fill="none" stroke="var(--jp-brand-color1,#1976d2)" stroke-width="1.3" points="`,
		width, height, width, height)
	for _, p := range thinned(line, 200) {
		fmt.Fprintf(&b, "%.1f,%.1f ", x(p.Step), y(p.Loss))
	}
	b.WriteString(`"/>`)
	for _, p := range thinned(dots, 60) {
		if p.Step > 0 {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="2" fill="var(--jp-warn-color1,#e67700)"/>`, x(p.Step), y(p.Validation))
		}
	}
	b.WriteString("</svg>")
	return b.String()
}

// thinned keeps at most about n points, the last among them.
func thinned(points []slm.Point, n int) []slm.Point {
	if len(points) <= n {
		return points
	}
	var out []slm.Point
	for i := range n {
		out = append(out, points[i*(len(points)-1)/(n-1)])
	}
	return out
}
