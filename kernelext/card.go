package kernelext

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"path/filepath"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// labCard describes a lab and the host behind it.
func labCard(s Status, c Contents) shown {
	out := card{title: "Lab " + c.Lab}
	out.addHost(s)
	out.add("folder", "%s", filepath.Join(filepath.Base(s.Home), "labs", c.Lab)) // a saved card should not tell where a home is
	out.add("teachers", "%s", teacherList(s))
	for i, e := range c.Searches {
		out.add(once(i, "searches"), "%s: %d of %d evaluations%s", e.Name, e.Done, e.Total, bestText(e))
	}
	for i, e := range c.Runs {
		out.add(once(i, "runs"), "%s: %s parameters, step %d%s", e.Name, slm.Count(e.Parameters), e.Steps, validationText(e))
	}
	for i, j := range s.Jobs {
		out.add(once(i, "at work"), "%s", j)
	}
	return out.shown()
}

// addHost tells on what the host computes, and how much memory it takes.
func (c *card) addHost(s Status) {
	c.add("backend", "%s", cmp.Or(s.Backend, "none: "+s.BackendError))
	for i, d := range s.Devices {
		c.rows = append(c.rows, row{label: once(i, "device"), value: d.String(), bar: share(d.Used, d.Total)})
	}
	c.add("memory", "%s in the host", bytesText(s.Memory))
	c.add("host", "process %d, version %s, up %s", s.PID, s.Version, duration(s.Uptime().Seconds()))
}

// once labels the first row of a group only.
func once(i int, label string) string {
	if i > 0 {
		return ""
	}
	return label
}

func teacherList(s Status) string {
	loaded := map[string]int64{}
	for _, t := range s.Teachers {
		loaded[t.Name] = t.Bytes
	}
	var parts []string
	for _, name := range s.TeacherFiles {
		if bytes, ok := loaded[name]; ok {
			parts = append(parts, fmt.Sprintf("%s (loaded, %s)", name, bytesText(bytes)))
		} else {
			parts = append(parts, name+" (not loaded yet)")
		}
	}
	return cmp.Or(strings.Join(parts, "\n"), "none is installed: run `go run ./kernelext/lab setup`")
}

func bestText(e SearchEntry) string {
	if e.Done == 0 {
		return ""
	}
	if e.Failed {
		return ", all failed"
	}
	return ", best " + lossText(e.BestLoss, e.Told)
}

// lossText is a loss as perplexity, or a score that a cell told as it is.
func lossText(loss float64, told bool) string {
	if told {
		return fmt.Sprintf("score %.4g", loss)
	}
	return "perplexity " + perplexityText(math.Exp(loss))
}

func validationText(e RunEntry) string {
	if e.Validation == 0 {
		return ""
	}
	return fmt.Sprintf(", validation %.3f", e.Validation)
}

// teacherCard describes a teacher.
func teacherCard(t TeacherInfo) shown {
	c := t.Config
	counts := slm.Subnet{}.Parameters(c)
	out := card{title: c.Name}
	out.add("architecture", "%s, %d layers, embedding %d, vocabulary %s", c.Family, c.Layers, c.Embd, slm.Thousands(int64(c.Vocab)))
	out.add("a layer", "%d heads of %d in %d query groups, FFN %s", c.Heads, c.HeadSize, c.QueryGroups, slm.Thousands(int64(c.FFN)))
	out.add("context", "%s tokens", slm.Thousands(int64(c.Context)))
	out.add("held-out perplexity", "%s (loss %.4f) on %s tokens of %s, in windows of %d", perplexityText(t.Perplexity), t.Loss,
		slm.Thousands(int64(t.Tokens)), t.Corpus, t.Window)
	out.add("in memory", "%s, loaded in %s", bytesText(t.Bytes), duration(t.Seconds))
	parts := partRows(counts, c.Tied)
	out.after = fmt.Sprintf(`<div style="%s;margin-top:.6em">%s</div>%s`, quietStyle, html.EscapeString("parameters by part"), table(parts))
	for _, r := range parts {
		out.notes += fmt.Sprintf("  %-10s %13s  %5s\n", r.label, r.value, r.share)
	}
	return out.shown()
}

func partRows(counts slm.Counts, tied bool) []row {
	total := counts.Total()
	var rows []row
	for _, p := range []struct {
		label string
		n     int64
	}{{"embedding", counts.Embedding}, {"attention", counts.Attention}, {"FFN", counts.FFN}, {"norms", counts.Norm}, {"head", counts.Head}, {"total", total}} {
		value, share := slm.Thousands(p.n), fmt.Sprintf("%.1f%%", 100*float64(p.n)/float64(total))
		if p.label == "head" && tied {
			value, share = "tied", "-"
		}
		rows = append(rows, row{label: p.label, value: value, share: share})
	}
	return rows
}
