package plots

import (
	"context"
	"fmt"
	"html"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"github.com/offshoot-ml/offshoot/plots/frontend"
	"github.com/offshoot-ml/offshoot/slm"
)

// Pick draws a search, [Population], and lets the reader look closer while the cell runs: a click on a point shows below it what the
// candidate is, what tellers tell of it, its [Mask], and its ancestors, [AncestryOf]. It begins with the best candidate, and ends
// when the cell is interrupted.
//
//	plots.Pick(found.Population, func(c slm.Candidate) string { return found.Continue(c, "func main() {", 20) })
//
// Where nobody can click, in a notebook that runs without a browser or in a program, it shows the best candidate and returns.
func Pick(p slm.Population, tellers ...func(slm.Candidate) string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	k := newPicking(p, tellers)
	if !frontend.Attended() {
		k.showBest()
		return
	}
	address := frontend.NewAddress()
	messages := frontend.Listen(ctx, address)
	k.hint = "Click a point for another candidate; interrupt the cell to end."
	k.hear(address) // before there is anything to click on
	k.showBest()
	k.follow(ctx, messages)
	gonbui.Sync()
}

// picking shows one candidate at a time, in outputs that stay where they are.
type picking struct {
	population slm.Population
	tellers    []func(slm.Candidate) string
	name       string // of the outputs
	hint       string
	draw       func(c slm.Candidate)
}

func newPicking(p slm.Population, tellers []func(slm.Candidate) string) *picking {
	k := &picking{population: p, tellers: tellers, name: "offshoot-" + gonbui.UniqueId()}
	k.draw = k.show
	return k
}

func (k *picking) showBest() {
	if gonbui.IsNotebook {
		Update(k.name, Population(k.population))
	}
	if len(k.population.Candidates) > 0 {
		k.draw(k.population.Best())
	}
}

// show draws before it asks the tellers, which may take a while.
func (k *picking) show(c slm.Candidate) {
	story := k.story(c)
	if gonbui.IsNotebook {
		k.write(story, "…")
		Update(k.name+"-mask", Mask(k.population.Teacher, c.Subnet))
		Update(k.name+"-ancestry", AncestryOf(k.population, c.ID))
	}
	var told []string
	for _, teller := range k.tellers {
		told = append(told, teller(c))
	}
	k.write(story, told...)
}

// story is a candidate in a line.
func (k *picking) story(c slm.Candidate) string {
	text := fmt.Sprintf("Candidate #%d of generation %d, %s", c.ID, c.Generation, c.Origin)
	if len(c.Parents) > 0 {
		text += " of " + parentNames(c.Parents)
	}
	text += ": " + slm.Count(c.Parameters) + " parameters, "
	if c.Failed() {
		return text + "failed: " + c.Failure
	}
	return text + fmt.Sprintf("loss %.3f, perplexity %s", c.Loss, perplexityOf(c.Loss))
}

// write puts words between the figure and the mask; what tellers tell of a model's making is escaped as all else.
func (k *picking) write(story string, told ...string) {
	if !gonbui.IsNotebook {
		fmt.Println(strings.Join(append([]string{story}, told...), "\n"))
		return
	}
	var page strings.Builder
	fmt.Fprintf(&page, `<div style="%s"><b>%s</b>`, wordsStyle, html.EscapeString(story))
	for _, text := range told {
		fmt.Fprintf(&page, `<pre style="white-space:pre-wrap;margin:.4em 0">%s</pre>`, html.EscapeString(text))
	}
	fmt.Fprintf(&page, `<div style="color:var(--jp-ui-font-color2,#777)">%s</div></div>`, html.EscapeString(k.hint))
	gonbui.SendData(&protocol.DisplayData{DisplayID: k.name + "-words", Data: map[protocol.MIMEType]any{
		protocol.MIMETextHTML: page.String(), protocol.MIMETextPlain: strings.Join(append([]string{story}, told...), "\n")}})
}

const wordsStyle = "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.6;color:var(--jp-ui-font-color1,inherit)"

// hear makes clicks on the figure's points come to an address, by a script that leaves nothing behind in the notebook.
func (k *picking) hear(address string) {
	transient(k.name+"-clicks", fmt.Sprintf("<script>\n(function () {\n%svar cell = cellAt(%s);\n"+
		"document.addEventListener(\"offshoot-click\", function (e) { if (e.target.dataset.figure === %s) cell(String(e.detail[%d])); });\n})();\n</script>\n",
		frontend.Script, quoted(address), quoted(k.name), idOfPoint))
}

// follow shows what is clicked until ctx ends.
func (k *picking) follow(ctx context.Context, messages <-chan string) {
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-messages:
			if c, ok := k.clicked(latest(message, messages)); ok {
				k.draw(c)
			}
		}
	}
}

// latest is the last of the messages that have come by now: a reader who clicks on does not wait for what was clicked before.
func latest(message string, messages <-chan string) string {
	for {
		select {
		case message = <-messages:
		default:
			return message
		}
	}
}

// clicked is the candidate that a message names, which may be anything.
func (k *picking) clicked(message string) (c slm.Candidate, ok bool) {
	id, err := strconv.Atoi(message)
	if err != nil {
		return c, false
	}
	at := slices.IndexFunc(k.population.Candidates, func(c slm.Candidate) bool { return c.ID == id })
	if at < 0 {
		return c, false
	}
	return k.population.Candidates[at], true
}
