package resident

import (
	"context"
	"slices"
	"sync"
)

// queue gives the accelerator to one job at a time, in the order of asking.
type queue struct {
	mu      sync.Mutex
	holder  *job
	waiting []*ticket
}

type ticket struct {
	job  *job
	turn chan struct{} // closes when the job holds the accelerator
}

// acquire waits for the job's turn, unless the job has the accelerator already. The job's listener learns what it waits
// for.
func (q *queue) acquire(ctx context.Context, j *job) error {
	t := &ticket{job: j, turn: make(chan struct{})}
	q.mu.Lock()
	if q.holder == j {
		q.mu.Unlock()
		return nil
	}
	q.waiting = append(q.waiting, t)
	if q.holder != nil {
		t.job.waitingFor(q.holder)
	}
	q.next()
	q.mu.Unlock()
	select {
	case <-t.turn:
		return nil
	case <-ctx.Done():
		q.withdraw(t)
		return ctx.Err()
	}
}

// withdraw gives up a place, or the turn that came at the same moment.
func (q *queue) withdraw(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, t); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		return
	}
	if q.holder == t.job {
		q.holder = nil
		q.next()
	}
}

// release lets the next job in; a job that does not hold the accelerator may call it too.
func (q *queue) release(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.holder == j {
		q.holder = nil
		q.next()
	}
}

// next runs under the lock.
func (q *queue) next() {
	if q.holder != nil || len(q.waiting) == 0 {
		return
	}
	first := q.waiting[0]
	q.waiting = q.waiting[1:]
	q.holder = first.job
	first.job.runs()
	close(first.turn)
	for _, t := range q.waiting {
		t.job.waitingFor(q.holder)
	}
}
