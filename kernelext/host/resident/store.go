package resident

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
	_ "modernc.org/sqlite"
)

// store is a lab's lab.db. Every finished evaluation and every finished step is one committed row: the columns are for
// whoever looks with SQL, the json column is the slm value itself, which is what the host reads back.
type store struct{ db *sql.DB }

func openStore(ctx context.Context, path string) (*store, error) {
	// The write-ahead log with synchronous=FULL keeps a committed row through a killed process and a lost power line.
	s, err := connect(path, url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "foreign_keys(1)"}})
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, path); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// openStoreToRead opens a lab.db beside a host that may be writing it.
func openStoreToRead(ctx context.Context, path string) (*store, error) {
	s, err := connect(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(1)"}})
	if err != nil {
		return nil, err
	}
	version, err := s.version(ctx, path)
	switch {
	case err == nil && version == 0:
		err = fmt.Errorf("%s holds no records yet", path)
	case err == nil && version < schemaVersion:
		err = fmt.Errorf("%s was written by an older Offshoot (records version %d, now %d); open the lab once to bring it up to date", path, version, schemaVersion)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func connect(path string, query url.Values) (*store, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &store{db}, nil
}

// version is that of the records; one that this program does not know is an error.
func (s *store) version(ctx context.Context, path string) (version int, err error) {
	err = s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	if err == nil && version > schemaVersion {
		err = fmt.Errorf("%s was written by a newer Offshoot (records version %d, this one knows %d)", path, version, schemaVersion)
	}
	return version, err
}

func (s *store) close() error { return s.db.Close() }

// timeText is how times are kept.
func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// useTeacher records that the lab used a teacher. One that is not the file it was is an error: what the lab found and
// trained with the old one would silently go on with another.
func (s *store) useTeacher(ctx context.Context, name string, config slm.Config, sha256 string) error {
	var before string
	found, err := s.one(ctx, []any{&before}, "SELECT sha256 FROM teachers WHERE name = ?", name)
	if err != nil {
		return err
	}
	if found && before != sha256 {
		return kernelext.Errorf(kernelext.Invalid, "teacher %s is not the one that this lab has used: its file's SHA-256 is %s, it was %s; "+
			"put the old file back, or open another lab", name, sha256, before)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO teachers VALUES (?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET config = excluded.config, sha256 = excluded.sha256, used = excluded.used`,
		name, text(config), sha256, timeText(time.Now()))
	return err
}

func (s *store) teachers(ctx context.Context) ([]string, error) {
	return collect(ctx, s.db, func(rows *sql.Rows) (name string, err error) {
		return name, rows.Scan(&name)
	}, "SELECT name FROM teachers ORDER BY name")
}

// teacher returns the architecture of a teacher that the lab has used; false when it has not.
func (s *store) teacher(ctx context.Context, name string) (config slm.Config, found bool, err error) {
	found, err = s.one(ctx, []any{&jsonValue[slm.Config]{&config}}, "SELECT config FROM teachers WHERE name = ?", name)
	return config, found, err
}

// putRun records a run; it replaces one that has no point yet.
func (s *store) putRun(ctx context.Context, c slm.Curve) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO runs (name, teacher, options, parameters, created) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET teacher = excluded.teacher, options = excluded.options, parameters = excluded.parameters
		WHERE NOT EXISTS (SELECT 1 FROM points WHERE run = excluded.name)`,
		c.Name, text(c.Teacher), text(c.Distillation), c.Parameters, timeText(time.Now()))
	return err
}

// run returns a run without its points; false when there is none of that name.
func (s *store) run(ctx context.Context, name string) (c slm.Curve, found bool, err error) {
	c.Name = name
	found, err = s.one(ctx, []any{&jsonValue[slm.Config]{&c.Teacher}, &jsonValue[slm.Distillation]{&c.Distillation}, &c.Parameters,
		&jsonValue[[]slm.Change]{&c.Changes}, &jsonValue[*slm.Origin]{&c.Origin}},
		"SELECT teacher, options, parameters, changes, origin FROM runs WHERE name = ?", name)
	return c, found, err
}

func (s *store) runs(ctx context.Context) ([]string, error) {
	return collect(ctx, s.db, func(rows *sql.Rows) (name string, err error) {
		return name, rows.Scan(&name)
	}, "SELECT name FROM runs ORDER BY created")
}

func (s *store) addPoint(ctx context.Context, run string, p slm.Point) error {
	_, err := s.db.ExecContext(ctx, "INSERT OR REPLACE INTO points VALUES (?, ?, ?)", run, p.Step, text(p))
	return err
}

// points returns up to limit points of a run from a step on.
func (s *store) points(ctx context.Context, run string, from, limit int) ([]slm.Point, error) {
	return collect(ctx, s.db, scanJSON[slm.Point],
		"SELECT json FROM points WHERE run = ? AND step >= ? ORDER BY step LIMIT ?", run, from, limit)
}

// lastStep is the last step of a run that has a point; -1 when none has.
func (s *store) lastStep(ctx context.Context, run string) (step int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(step), -1) FROM points WHERE run = ?", run).Scan(&step)
	return step, err
}

// dropPoints removes the points after a step: the weights behind them are lost.
func (s *store) dropPoints(ctx context.Context, run string, after int) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM points WHERE run = ? AND step > ?", run, after)
	return err
}

func (s *store) one(ctx context.Context, into []any, query string, args ...any) (found bool, err error) {
	err = s.db.QueryRowContext(ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// collect scans all rows of a query.
func collect[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		value, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, rows.Err()
}

func scanJSON[T any](rows *sql.Rows) (value T, err error) {
	return value, rows.Scan(&jsonValue[T]{&value})
}

// jsonValue scans a JSON column.
type jsonValue[T any] struct{ into *T }

func (v *jsonValue[T]) Scan(column any) error {
	text, ok := column.(string)
	if !ok {
		return fmt.Errorf("column holds %T, want JSON text", column)
	}
	return json.Unmarshal([]byte(text), v.into)
}

// text is a value as JSON. The values of package slm always marshal, unless a number in them is not finite: that of a
// candidate's losses is null, others the host rejects before it records them.
func text(value any) string {
	out, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("resident: %v", err))
	}
	return string(out)
}
