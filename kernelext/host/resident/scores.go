package resident

import (
	"context"
	"database/sql"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// putScores records what lm-eval found of a run's student: all of it, or nothing.
func (s *store) putScores(ctx context.Context, run string, t kernelext.TaskScores) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after a commit
	measured := timeText(time.Now())
	for _, score := range t.Scores {
		if _, err := tx.ExecContext(ctx, "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", run, t.Steps, score.Task, score.Metric, score.Filter,
			score.Value, score.StdErr, score.Documents, t.Version, t.File, measured); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// scores are those of a run's student, each as it was measured last.
func (s *store) scores(ctx context.Context, run string) ([]kernelext.TaskScore, error) {
	return collect(ctx, s.db, func(rows *sql.Rows) (score kernelext.TaskScore, err error) {
		return score, rows.Scan(&score.Task, &score.Metric, &score.Filter, &score.Value, &score.StdErr, &score.Documents)
	}, `SELECT task, metric, filter, value, stderr, documents FROM scores
		WHERE rowid IN (SELECT max(rowid) FROM scores WHERE run = ? GROUP BY task, metric, filter) ORDER BY rowid`, run)
}
