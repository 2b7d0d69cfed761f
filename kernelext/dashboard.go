package kernelext

import (
	"context"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/offshoot-ml/offshoot/kernelext/output"
	"github.com/offshoot-ml/offshoot/plots/frontend"
)

// dashboardEvery is how long a dashboard stands still.
const dashboardEvery = time.Second

// Dashboard shows what the host does for all its labs while the cell runs: work with its progress, rate and time left, teachers and
// students in memory, memory and devices. It ends when the cell is interrupted, or after a given time, and the last state stays.
// Where nobody can watch, in a notebook that runs without a browser or in a program, it shows the present state and returns.
func (l *Lab) Dashboard(during ...time.Duration) {
	ctx, stop := interruptible()
	defer stop()
	if len(during) > 0 {
		ctx, stop = context.WithTimeout(ctx, during[0])
		defer stop()
	}
	if err := watchHost(ctx, l.client.Status, frontend.Attended()); err != nil {
		fail(err)
	}
}

// watchHost shows the host's status, and goes on with it where somebody watches until ctx ends.
func watchHost(ctx context.Context, ask func(context.Context) (Status, error), attended bool) error {
	id := "offshoot-" + gonbui.UniqueId()
	for {
		status, err := ask(ctx)
		switch {
		case ctx.Err() != nil:
			output.Sync()
			return nil
		case err != nil:
			return err
		case !attended:
			dashboardCard(status, time.Now()).show()
			return nil
		}
		dashboardCard(status, time.Now()).send(id)
		_ = sleep(ctx, dashboardEvery) // the end is seen above
	}
}

// dashboardCard describes the host at a moment.
func dashboardCard(s Status, now time.Time) shown {
	out := card{title: "The host at " + now.Format("15:04:05")}
	out.addHost(s)
	for i, j := range s.Jobs {
		state := "waiting"
		if j.Running {
			state = "running"
		}
		out.add(once(i, "at work"), "%s, %s for %s", j, state, duration(now.Sub(j.Since).Seconds()))
		if told := j.told(); told != "" {
			out.rows = append(out.rows, row{value: told, bar: share(j.Done, j.Total)})
		}
	}
	if len(s.Jobs) == 0 {
		out.add("at work", "nothing")
	}
	for i, t := range s.Teachers {
		out.add(once(i, "teachers"), "%s, %s", t.Name, bytesText(t.Bytes))
	}
	for i, r := range s.Runs {
		out.add(once(i, "students"), "%s of lab %s at step %d, %s", r.Name, r.Lab, r.Steps, bytesText(r.Bytes))
	}
	return out.shown()
}

// told is such as "12 of 50 steps · 510 tokens/s · 41 s left"; empty before there is anything to tell.
func (j Job) told() string {
	return newDisplay("").told(Event{Message: j.Message, Done: j.Done, Total: j.Total, Unit: j.Unit, Rate: j.Rate, Left: j.Left})
}
