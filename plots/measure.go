package plots

import (
	"strconv"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Without a browser ECharts guesses how wide words are, as narrow as no font is, and long legends run into each other. So it
// asks here, and hears the widths in the Go fonts, in which [Figure.PNG] writes: they are wide, so that others fit too.

// measured are the fonts of pictures, loaded once.
var measured = sync.OnceValue(func() (fonts struct{ regular, bold, mono *sfnt.Font }) {
	fonts.regular, _ = sfnt.Parse(goregular.TTF) // they are part of the program
	fonts.bold, _ = sfnt.Parse(gobold.TTF)
	fonts.mono, _ = sfnt.Parse(gomono.TTF)
	return fonts
})

// textWidth is how wide words are, in pixels, in a CSS font such as "bold 15px sans-serif".
func textWidth(words, css string) float64 {
	face, size := measured().regular, 12.0
	for field := range strings.FieldsSeq(css) {
		if pixels, ok := strings.CutSuffix(field, "px"); ok {
			if parsed, err := strconv.ParseFloat(pixels, 64); err == nil {
				size = parsed
			}
		}
	}
	switch {
	case strings.Contains(css, "monospace"):
		face = measured().mono
	case strings.Contains(css, "bold"):
		face = measured().bold
	}
	var buffer sfnt.Buffer
	width := fixed.Int26_6(0)
	for _, letter := range words {
		width += advance(face, &buffer, letter)
	}
	return float64(width) / 64 * size / emPixels
}

// emPixels is the size at which letters are measured: widths grow with the size.
const emPixels = 64

// advance is how wide a letter is; one that the font lacks is taken from another, where most are square.
func advance(face *sfnt.Font, buffer *sfnt.Buffer, letter rune) fixed.Int26_6 {
	if glyph, err := face.GlyphIndex(buffer, letter); err == nil && glyph != 0 {
		if width, err := face.GlyphAdvance(buffer, glyph, fixed.I(emPixels), font.HintingNone); err == nil {
			return width
		}
	}
	return fixed.I(emPixels)
}
