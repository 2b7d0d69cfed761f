// Package plots turns the values of package slm into figures: a search into a scatter, a sub-network into a mask, runs
// into curves.
//
// The story, in the order of the files:
//
//   - Each figure function first computes plain numbers, then describes the picture as an ECharts option with go-echarts. [New]
//     takes any other go-echarts chart.
//   - Of a search: [Population] (population.go; its points share objective.go, scatter.go, crowd.go and fence.go), [History]
//     (history.go), [Ancestry] (ancestry.go), [ParallelCoordinates] (parallel.go), [Parts] (parts.go), [Diversity] (diversity.go)
//     and [Prediction] (correlation.go). Of searches that were repeated: [Progress] (progress.go), [Spaces] (spaces.go),
//     [Correlation] (correlation.go).
//   - Of sub-networks, on panels of units (units.go): [Mask] (mask.go), [Overlap] (overlap.go), [Kept] (kept.go), [MaskHistory]
//     (maskhistory.go) and [Importance] (importance.go); [LayerImportance] (layerimportance.go) has a bar for each layer,
//     [Architectures] (architectures.go) is a table of bars. [Scores] (scores.go) are those of models in tasks.
//   - Of training: [CurvesBy] draws runs against steps, tokens, FLOPs or time (curves.go, cost.go, seeds.go, lossaxis.go), [Saved] what
//     they save until they reach a baseline (saved.go, arrow.go), [Dynamics] how they train and where their time goes (dynamics.go,
//     timeshare.go), [Savings] what a whole study found (savings.go).
//   - Of a text: [Text] colours its tokens by loss or by the difference of two models (text.go, pieces.go), [NextTokens] sets what
//     models expect next side by side (nexttokens.go), and [Attention] maps where heads look (attention.go, attentionmaps.go).
//   - All share how lines and axes are drawn and numbers are written (lines.go, ticks.go).
//   - Colours come from palettes that colour-blind readers can tell apart; text and lines are named inks that take the
//     reader's light or dark theme when the figure is drawn (palette.go).
//   - A [Figure] is the option with its words and size (figure.go, option.go). [Figure.SVG] draws it without a browser: ECharts
//     itself, in a JavaScript engine written in Go (echarts.go, static.js), measures words in the fonts of [Figure.PNG]
//     (measure.go); the picture is made small (compact.go), and [Figure.Dark] puts it on a dark sheet. [Figure.HTML] carries that
//     picture and a script that replaces it by the interactive chart where scripts run (html.go, figure.js, inks.js).
//   - [Show] puts figures below a notebook cell (show.go), [Live] one that follows a search, [LiveCurves] one that follows a run
//     (live.go), and [Pick] hears which candidate a reader clicks on (pick.go, package frontend). [Figure.PNG] (png.go) and [Page]
//     (page.go) are for use elsewhere.
//
// A saved notebook therefore shows its figures without scripts and without a network too: untrusted, exported, printed.
// No figure asks another machine for anything. ECharts is not part of this package: the lab's set-up installs it
// (see [Figure.SVG] for where it is looked for).
//
// The package links no tensor library and no tokenizer, since cells that draw are compiled each time they run.
package plots
