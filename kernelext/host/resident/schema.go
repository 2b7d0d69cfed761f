package resident

import (
	"context"
	"fmt"
	"strings"
)

// migrations[v] brings records of version v to the next one; version 0 is an empty file. Those that labs on somebody's disk
// have gone through are never changed.
//
// Of a candidate, rungs are the losses of a search with halving, the last of which is loss; where failure says why it has none,
// loss is infinite, so that it is sorted behind the others. In losses is what each
// measurement depended on, so that another search need not repeat it. Of a search, unit_order is the order of the teacher's
// units that a told search's Reorder meant when it began, and exhausted is 1 where it ended early. scores are those of a run's student in tasks of lm-eval, whose own results are in file.
var migrations = []string{`
CREATE TABLE IF NOT EXISTS teachers (
	name TEXT PRIMARY KEY, config TEXT NOT NULL, sha256 TEXT NOT NULL, used TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS searches (
	name TEXT PRIMARY KEY, teacher TEXT NOT NULL, options TEXT NOT NULL, window INTEGER NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS candidates (
	search TEXT NOT NULL REFERENCES searches(name), id INTEGER NOT NULL, generation INTEGER NOT NULL, origin TEXT NOT NULL,
	parents TEXT NOT NULL, subnet TEXT NOT NULL, parameters INTEGER NOT NULL, flops INTEGER NOT NULL, loss REAL NOT NULL,
	seconds REAL NOT NULL, evaluated TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (search, id)
) STRICT;
CREATE TABLE IF NOT EXISTS runs (
	name TEXT PRIMARY KEY, teacher TEXT NOT NULL, options TEXT NOT NULL, parameters INTEGER NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS points (
	run TEXT NOT NULL REFERENCES runs(name), step INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (run, step)
) STRICT;`, `
ALTER TABLE searches ADD COLUMN seed TEXT NOT NULL DEFAULT '';
ALTER TABLE searches ADD COLUMN space TEXT NOT NULL DEFAULT '';
ALTER TABLE searches ADD COLUMN held TEXT NOT NULL DEFAULT '{}';
UPDATE searches SET seed = options ->> 'seed', space = (options ->> '$.space.granularity') || '-' || (options ->> '$.space.scope');
ALTER TABLE candidates ADD COLUMN untrained REAL;
ALTER TABLE candidates ADD COLUMN latency REAL;
ALTER TABLE candidates ADD COLUMN kv_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE candidates ADD COLUMN rungs TEXT NOT NULL DEFAULT '[]';
UPDATE candidates SET untrained = json ->> 'untrained', latency = json ->> 'latency', kv_bytes = coalesce(json ->> 'kv_bytes', 0);
CREATE TABLE losses (
	teacher TEXT NOT NULL, corpus TEXT NOT NULL, held TEXT NOT NULL, warm TEXT NOT NULL, subnet TEXT NOT NULL,
	loss REAL NOT NULL, untrained REAL NOT NULL, latency REAL NOT NULL,
	PRIMARY KEY (subnet, held, corpus, teacher, warm)
) STRICT, WITHOUT ROWID;`, `
ALTER TABLE searches ADD COLUMN unit_order TEXT;`, `
ALTER TABLE candidates ADD COLUMN failure TEXT;`, `
ALTER TABLE runs ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT 'null';`, `
CREATE TABLE scores (
	run TEXT NOT NULL REFERENCES runs(name), step INTEGER NOT NULL, task TEXT NOT NULL, metric TEXT NOT NULL, filter TEXT NOT NULL,
	value REAL NOT NULL, stderr REAL, documents INTEGER NOT NULL, lm_eval TEXT NOT NULL, file TEXT NOT NULL, measured TEXT NOT NULL
) STRICT;`, `
ALTER TABLE searches ADD COLUMN exhausted INTEGER NOT NULL DEFAULT 0;`,
}

// schemaVersion is kept in the database's user_version.
var schemaVersion = len(migrations)

// migrate brings older records up to date, at once or not at all.
func (s *store) migrate(ctx context.Context, path string) error {
	version, err := s.version(ctx, path)
	if err != nil || version == schemaVersion {
		return err
	}
	_, err = s.db.ExecContext(ctx, fmt.Sprintf("BEGIN; %s PRAGMA user_version = %d; COMMIT;", strings.Join(migrations[version:], ""), schemaVersion))
	return err
}
