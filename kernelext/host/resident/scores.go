package resident

import (
	"context"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// putScores records what lm-eval found of a run's student: all of it, or nothing. Nothing reads it here; it is for whoever asks with SQL.
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
