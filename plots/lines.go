package plots

import (
	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// line is a series without symbols.
func line(name, colour string, width float32, data any) charts.SingleSeries {
	return charts.SingleSeries{Name: name, Type: "line", Data: data, ShowSymbol: opts.Bool(false), Symbol: "none",
		ItemStyle: &opts.ItemStyle{Color: colour}, LineStyle: &opts.LineStyle{Color: colour, Width: width}}
}

// lineOf is the series of the i-th line, in its colour; its symbol, in the legend, is drawn at each value if symbols is true.
func lineOf(i int, name string, width float32, data any, symbols bool) charts.SingleSeries {
	s := line(name, colourOf(i), width, data)
	s.ShowSymbol, s.Symbol, s.SymbolSize = opts.Bool(symbols), symbolOf(i), 7
	return s
}

// band is two series that stack: nothing up to the lower edge, and from there the colour up to the upper one.
func band(id, name, colour string, opacity float32, lower, width [][2]float64) []charts.SingleSeries {
	edge := func(prefix string, data [][2]float64, opacity float32) charts.SingleSeries {
		s := line(name, colour, 0, data)
		s.Id, s.Stack = prefix+id, "band "+id
		s.LineStyle = &opts.LineStyle{Opacity: opts.Float(0)}
		s.AreaStyle = &opts.AreaStyle{Color: colour, Opacity: opts.Float(opacity)}
		return s
	}
	return []charts.SingleSeries{edge("l", lower, 0), edge("b", width, opacity)}
}
