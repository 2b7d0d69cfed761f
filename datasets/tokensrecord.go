package datasets

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// tokensRecord is tokens.json: what the shards of a folder are made of. It lists whole shards only, and is written anew
// after each: what it does not list does not count.
type tokensRecord struct {
	Version    int              `json:"version"`
	Data       slm.Data         `json:"data"`             // the source
	Source     string           `json:"source,omitempty"` // its name when the first document was read; older records have none
	Tokenizer  string           `json:"tokenizer"`        // its hash
	Vocab      int              `json:"vocab"`
	HeldOut    int              `json:"held_out"`        // one document in so many
	Limit      int64            `json:"limit,omitempty"` // of tokens
	ShardBytes int64            `json:"shard_bytes"`     // a shard ends with the document that brings it there
	Complete   bool             `json:"complete"`        // the source was read to its end, or the limit is reached
	Read       int64            `json:"read"`            // documents of the source up to the end of the last shards
	Digest     string           `json:"digest"`          // of these documents, in hexadecimal
	Training   []shardRecord    `json:"training"`
	Validation []shardRecord    `json:"validation"`
	Skipped    SkippedDocuments `json:"skipped"`
}

// shardRecord is what the record says of a shard. Its file is called after the half and its place in the list.
type shardRecord struct {
	Tokens    uint64 `json:"tokens"`
	Documents uint64 `json:"documents"`
	SHA256    string `json:"sha256"` // of the file after its header, in hexadecimal
}

// SkippedDocuments counts the documents that have no tokens in the shards.
type SkippedDocuments struct {
	Duplicate int64 `json:"duplicate"` // the same text as an earlier one
	Empty     int64 `json:"empty"`
}

// check reports a shard that is not the one that the record lists.
func (r shardRecord) check(h shardHeader, vocab int) error {
	if h.Vocab != uint64(vocab) || h.Tokens != r.Tokens || h.Documents != r.Documents || hex.EncodeToString(h.Sum[:]) != r.SHA256 {
		return fmt.Errorf("it is not the shard that %s lists: %w", recordName, errDamagedShard)
	}
	return nil
}

const (
	recordName    = "tokens.json"
	recordVersion = 1
	mostRecord    = 64 << 20 // bytes: enough for 500,000 shards
)

// shardName is the file of the shard i of a half.
func shardName(half string, i int) string { return fmt.Sprintf("%s-%05d.tokens", half, i) }

const (
	trainingHalf   = "training"
	validationHalf = "validation"
)

// readRecord reads a tokens.json. The error says what is wrong with it.
func readRecord(file io.Reader) (*tokensRecord, error) {
	text, err := io.ReadAll(io.LimitReader(file, mostRecord+1))
	if err != nil {
		return nil, err
	}
	if len(text) > mostRecord {
		return nil, errors.New("it is too large for a record of tokens")
	}
	var r tokensRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if r.Version != recordVersion {
		return nil, fmt.Errorf("its format has version %d, this program reads %d: delete the folder and tokenize again", r.Version, recordVersion)
	}
	for _, shards := range [][]shardRecord{r.Training, r.Validation} {
		for _, s := range shards {
			if sum, err := hex.DecodeString(s.SHA256); err != nil || len(sum) != sha256.Size {
				return nil, fmt.Errorf("the checksum %q is none", s.SHA256)
			}
		}
	}
	return &r, nil
}

// openRecord reads the tokens.json of a folder; the error wraps fs.ErrNotExist when there is none.
func openRecord(dir string) (*tokensRecord, error) {
	path := filepath.Join(dir, recordName)
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := readRecord(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// save replaces the tokens.json of a folder.
func (r *tokensRecord) save(dir string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return checkpoint.WriteAtomic(filepath.Join(dir, recordName), int64(len(text)), func(out io.Writer) error {
		_, err := out.Write(text)
		return err
	})
}

// differs says in what another request differs from the one that the record is of; nil when in nothing.
func (r *tokensRecord) differs(asked *tokensRecord) error {
	for _, field := range []struct {
		name        string
		have, asked any
	}{
		{"data", r.Data, asked.Data}, {"tokenizer", r.Tokenizer, asked.Tokenizer}, {"share held out", r.HeldOut, asked.HeldOut},
		{"limit of tokens", r.Limit, asked.Limit}, {"size of shards", r.ShardBytes, asked.ShardBytes},
	} {
		have, _ := json.Marshal(field.have) // plain values
		want, _ := json.Marshal(field.asked)
		if string(have) != string(want) {
			return fmt.Errorf("the folder holds tokens of another request: its %s is %s, now %s; name another folder, or delete this one", field.name, have, want)
		}
	}
	return nil
}

// name is that of the source, when it was read.
func (r *tokensRecord) name() string { return cmp.Or(r.Source, r.Data.String()) }

// tokens counts those of both halves.
func (r *tokensRecord) tokens() (n uint64) {
	for _, shards := range [][]shardRecord{r.Training, r.Validation} {
		for _, s := range shards {
			n += s.Tokens
		}
	}
	return n
}

// sum hashes all that decides which tokens there are.
func (r *tokensRecord) sum() string {
	h := sha256.New()
	fmt.Fprintf(h, "offshoot tokens 1\n%s\n", r.Tokenizer)
	for _, shards := range [][]shardRecord{r.Training, r.Validation} {
		fmt.Fprintf(h, "%d\n", len(shards))
		for _, s := range shards {
			fmt.Fprintf(h, "%d %d %s\n", s.Tokens, s.Documents, s.SHA256)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
