// Package plots turns the values of package slm into figures: a search into a scatter, a sub-network into a mask, runs
// into curves.
//
// The story, in the order of the files:
//
//   - Each figure function first computes plain numbers, then describes the picture as an ECharts option with go-echarts:
//     [Population] (population.go, ticks.go), [Mask] (mask.go), [Curves] (curves.go); of a study, searches that were repeated,
//     [Progress] (progress.go), [Spaces] (spaces.go) and [Correlation] (correlation.go). [New] takes any other go-echarts chart.
//   - Colours come from palettes that colour-blind readers can tell apart; text and lines are named inks that take the
//     reader's light or dark theme when the figure is drawn (palette.go).
//   - A [Figure] is the option with its words and size (figure.go, option.go). [Figure.SVG] draws it without a browser: ECharts
//     itself, in a JavaScript engine written in Go (echarts.go). [Figure.HTML] carries that picture and a script that
//     replaces it by the interactive chart where scripts run (html.go, figure.js).
//   - [Show] puts figures below a notebook cell (show.go), [Live] one that follows a search (live.go).
//
// A saved notebook therefore shows its figures without scripts and without a network too: untrusted, exported, printed.
// No figure asks another machine for anything. ECharts is not part of this package: the lab's set-up installs it
// (see [Figure.SVG] for where it is looked for).
//
// The package links no tensor library and no tokenizer, since cells that draw are compiled each time they run.
package plots
