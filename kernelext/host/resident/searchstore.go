package resident

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// putSearch records a search; it replaces one that has no candidate yet.
func (s *store) putSearch(ctx context.Context, p slm.Population) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO searches (name, teacher, options, window, created, seed, space, held)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET teacher = excluded.teacher, options = excluded.options,
		window = excluded.window, seed = excluded.seed, space = excluded.space, held = excluded.held
		WHERE NOT EXISTS (SELECT 1 FROM candidates WHERE search = excluded.name)`,
		p.Name, text(p.Teacher), text(p.Search), p.Held.Window, timeText(time.Now()), strconv.FormatUint(p.Search.Seed, 10),
		p.Search.Space.Name(), text(p.Held))
	return err
}

// putToldSearch records a search that a cell judges, and the order that its Reorder means, nil without one.
func (s *store) putToldSearch(ctx context.Context, p slm.Population, order *slm.Order) error {
	if err := s.putSearch(ctx, p); err != nil || order == nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, "UPDATE searches SET unit_order = ?1, held = ?2 WHERE name = ?3 AND (unit_order IS NOT ?1 OR held <> ?2)",
		text(order), text(p.Held), p.Name)
	return err
}

// putExhausted records that a search ended early: see [slm.Population].
func (s *store) putExhausted(ctx context.Context, name string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE searches SET exhausted = 1 WHERE name = ?", name)
	return err
}

// order returns the order that is recorded with a told search; nil where that had none, or was of another teacher or measure.
func (s *store) order(ctx context.Context, name string, search slm.Search) (*slm.Order, error) {
	var order slm.Order
	found, err := s.one(ctx, []any{&jsonValue[slm.Order]{&order}}, `SELECT unit_order FROM searches
		WHERE name = ? AND unit_order IS NOT NULL AND options ->> 'teacher' = ? AND options ->> 'reorder' = ?`, name, search.Teacher, search.Reorder)
	if err != nil || !found {
		return nil, err
	}
	return &order, nil
}

// search returns a search without its candidates; false when there is none of that name.
func (s *store) search(ctx context.Context, name string) (p slm.Population, found bool, err error) {
	p.Name = name
	found, err = s.one(ctx, []any{&jsonValue[slm.Config]{&p.Teacher}, &jsonValue[slm.Search]{&p.Search}, &jsonValue[slm.Held]{&p.Held}, &p.Exhausted},
		"SELECT teacher, options, held, exhausted FROM searches WHERE name = ?", name)
	return p, found, err
}

func (s *store) searches(ctx context.Context) ([]string, error) {
	return collect(ctx, s.db, func(rows *sql.Rows) (name string, err error) {
		return name, rows.Scan(&name)
	}, "SELECT name FROM searches ORDER BY created")
}

// putCandidate records an evaluation, and what it depended on: both or none. A candidate that was judged on an earlier rung
// is replaced.
func (s *store) putCandidate(ctx context.Context, search string, c slm.Candidate, b Basis) error {
	return s.together(ctx, func(tx *sql.Tx) error {
		if err := putCandidate(ctx, tx, search, c); err != nil {
			return err
		}
		if c.Failed() { // measured anew by another search: what made it fail may have been mended
			return nil
		}
		return putLoss(ctx, tx, b, c)
	})
}

// putLoss records what was measured of a candidate, unless it is known.
func putLoss(ctx context.Context, tx *sql.Tx, b Basis, c slm.Candidate) error {
	_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO losses VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		b.Teacher, b.Corpus, b.Held, b.Warm, b.Subnet, c.Loss, c.Untrained, c.Latency)
	return err
}

// putTold records candidates that a cell has judged: all or none.
func (s *store) putTold(ctx context.Context, search string, told []slm.Candidate) error {
	return s.together(ctx, func(tx *sql.Tx) error {
		for _, c := range told {
			if err := putCandidate(ctx, tx, search, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func putCandidate(ctx context.Context, tx *sql.Tx, search string, c slm.Candidate) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO candidates (search, id, generation, origin, parents, subnet, parameters, flops, loss,
		seconds, evaluated, json, untrained, latency, kv_bytes, rungs, failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (search, id) DO UPDATE SET loss = excluded.loss, seconds = excluded.seconds, evaluated = excluded.evaluated,
		json = excluded.json, untrained = excluded.untrained, latency = excluded.latency, rungs = excluded.rungs,
		failure = excluded.failure`,
		search, c.ID, c.Generation, c.Origin, text(append([]int{}, c.Parents...)), text(c.Subnet), c.Parameters, c.FLOPs, c.Loss,
		c.Seconds, timeText(c.Evaluated), text(c), measuredOrNull(c.Untrained), measuredOrNull(c.Latency), c.KVBytes, rungsText(c),
		sql.NullString{String: c.Failure, Valid: c.Failure != ""})
	return err
}

// rungsText is a candidate's rungs as JSON, null where one gave no loss.
func rungsText(c slm.Candidate) string {
	losses := make([]*float64, len(c.Rungs))
	for i, loss := range c.Rungs {
		if finite(loss) {
			losses[i] = &loss
		}
	}
	return text(losses)
}

// measuredOrNull is NULL for what was not measured.
func measuredOrNull(v float64) sql.NullFloat64 { return sql.NullFloat64{Float64: v, Valid: v != 0} }

// together commits all of what do writes, or nothing.
func (s *store) together(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after the commit it does nothing
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// measured returns a measurement that any search of the lab has made; false when none has.
func (s *store) measured(ctx context.Context, b Basis) (m Measurement, known bool, err error) {
	known, err = s.one(ctx, []any{&m.Loss, &m.Untrained, &m.Latency}, `SELECT loss, untrained, latency FROM losses
		WHERE teacher = ? AND corpus = ? AND held = ? AND warm = ? AND subnet = ?`, b.Teacher, b.Corpus, b.Held, b.Warm, b.Subnet)
	return m, known, err
}

// candidates returns up to limit candidates of a search from an ID on, in the order of their IDs.
func (s *store) candidates(ctx context.Context, search string, from, limit int) ([]slm.Candidate, error) {
	return collect(ctx, s.db, scanJSON[slm.Candidate],
		"SELECT json FROM candidates WHERE search = ? AND id >= ? ORDER BY id LIMIT ?", search, from, limit)
}

// tally counts a search's candidates and how often they were judged, and finds the lowest loss of those that were judged most
// often, if one has a loss.
func (s *store) tally(ctx context.Context, search string) (candidates, evaluations int, best sql.NullFloat64, err error) {
	err = s.db.QueryRowContext(ctx, `WITH c AS (SELECT loss, failure, json_array_length(rungs) AS rungs FROM candidates WHERE search = ?),
		sound AS (SELECT loss, rungs FROM c WHERE failure IS NULL)
		SELECT count(*), coalesce(sum(max(1, rungs)), 0), (SELECT min(loss) FROM sound WHERE rungs = (SELECT max(rungs) FROM sound)) FROM c`,
		search).Scan(&candidates, &evaluations, &best)
	return candidates, evaluations, best, err
}
