package distill

import (
	"bytes"
	"cmp"
	"container/heap"
	"crypto/sha256"
	endian "encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"reflect"
	"sort"

	"github.com/gomlx/compute/dtypes/float16"
)

// LogitsOf says which logits a file has: those of a teacher on the batches of a stream, in their order.
type LogitsOf struct {
	Teacher     string  `json:"teacher"` // SHA-256
	Vocab       int     `json:"vocab"`
	Corpus      string  `json:"corpus"` // hash
	Seed        uint64  `json:"seed"`   // of the stream
	Batch       int     `json:"batch"`  // sequences
	SeqLen      int     `json:"seq_len"`
	TopK        int     `json:"top_k"` // tokens that are kept of each position
	Temperature float64 `json:"temperature"`

	DocumentMask bool `json:"document_mask,omitzero"` // see [slm.Distillation]
}

// Validate reports sizes that no file has.
func (o LogitsOf) Validate() error {
	if o.TopK < 1 || o.TopK > o.Vocab || o.Vocab > 1<<24 || !(o.Temperature > 0) {
		return fmt.Errorf("logits: the likeliest %d of %d tokens at temperature %g: want 1 to all of them, and a positive temperature", o.TopK, o.Vocab, o.Temperature)
	}
	if o.Batch < 1 || o.SeqLen < 1 || o.Batch > 1<<20 || o.SeqLen > 1<<20 || o.positions() > mostPositions/o.TopK {
		return fmt.Errorf("logits: batches of %d sequences of %d tokens, %d logits for each, are too large", o.Batch, o.SeqLen, o.TopK)
	}
	return nil
}

const mostPositions = 1 << 30 // kept logits in a batch

func (o LogitsOf) positions() int { return o.Batch * o.SeqLen }

// tokenBytes is the width of a token's number.
func (o LogitsOf) tokenBytes() int {
	if o.Vocab <= 1<<16 {
		return 2
	}
	return 4
}

// recordBytes is the size of a batch's record: a hash of its tokens, the likeliest tokens, their log-probabilities as float16, and
// a checksum.
func (o LogitsOf) recordBytes() int64 {
	return 8 + int64(o.positions()*o.TopK)*int64(o.tokenBytes()+2) + 4
}

// Logits is a file of a teacher's likeliest next tokens, batch after batch: computed once, they teach any number of students
// without the teacher. A record is found by the number of its batch, so that any part may be missing; each cites the tokens that
// it belongs to and has a checksum. It is for one goroutine at a time.
type Logits struct {
	of   LogitsOf
	path string
	file *os.File
	head int64 // bytes before the first record
}

// ErrDamaged is wrapped by the error of a record that was not written whole, or changed since.
var ErrDamaged = errors.New("damaged")

const logitsMagic = "OFFSHLG1"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenLogits opens a file of logits, or begins one. A file of other logits is an error that says what differs.
func OpenLogits(path string, of LogitsOf) (*Logits, error) {
	if err := of.Validate(); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	l := &Logits{of: of, path: path, file: file}
	if err := l.readHead(); err != nil {
		file.Close()
		return nil, fmt.Errorf("logits %s: %w", path, err)
	}
	return l, nil
}

// readHead checks the file's head, or writes it into an empty file.
func (l *Logits) readHead() error {
	want, err := json.Marshal(l.of)
	if err != nil {
		return err
	}
	l.head = int64(len(logitsMagic) + 4 + len(want))
	found := make([]byte, len(logitsMagic)+4)
	switch n, err := io.ReadFull(l.file, found); {
	case n == 0 && errors.Is(err, io.EOF):
		head := endian.LittleEndian.AppendUint32([]byte(logitsMagic), uint32(len(want)))
		_, err = l.file.WriteAt(append(head, want...), 0)
		return err
	case err != nil || string(found[:len(logitsMagic)]) != logitsMagic:
		return errors.New("it is no file of logits; remove it, or choose another place")
	}
	size := endian.LittleEndian.Uint32(found[len(logitsMagic):])
	if size > 1<<16 {
		return errors.New("its head is damaged; remove it")
	}
	text := make([]byte, size)
	var there LogitsOf
	if _, err := io.ReadFull(l.file, text); err != nil || json.Unmarshal(text, &there) != nil {
		return errors.New("its head is damaged; remove it")
	}
	if !reflect.DeepEqual(there, l.of) {
		return fmt.Errorf("it has other logits: %s", differences(there, l.of))
	}
	if !bytes.Equal(text, want) {
		return errors.New("it was written by another version; remove it")
	}
	return nil
}

// cite is a hash of a batch's tokens that is never zero: a record that was not written has zeros.
func cite(windows []int32) uint64 {
	h := sha256.New()
	_ = endian.Write(h, endian.LittleEndian, windows) // a hash takes all that is written
	return endian.LittleEndian.Uint64(h.Sum(nil)) | 1
}

// Get reads the record of a batch: for each position of its windows the likeliest tokens, best first, and their
// log-probabilities at the file's temperature, [Batch·SeqLen, TopK] row-major. ok is false where there is none yet. The error of
// a damaged record wraps [ErrDamaged]; that of one that belongs to other tokens does not.
func (l *Logits) Get(batch int, windows []int32) (tokens []int32, logs []float32, ok bool, err error) {
	record := make([]byte, l.of.recordBytes())
	switch n, err := l.file.ReadAt(record, l.at(batch)); {
	case n == 0 && errors.Is(err, io.EOF):
		return nil, nil, false, nil
	case errors.Is(err, io.EOF):
		return nil, nil, false, l.damaged(batch)
	case err != nil:
		return nil, nil, false, fmt.Errorf("logits %s: %w", l.path, err)
	}
	cited := endian.LittleEndian.Uint64(record)
	if cited == 0 {
		return nil, nil, false, nil
	}
	body := record[:len(record)-4]
	if crc32.Checksum(body, castagnoli) != endian.LittleEndian.Uint32(record[len(body):]) {
		return nil, nil, false, l.damaged(batch)
	}
	if cited != cite(windows) {
		return nil, nil, false, fmt.Errorf("logits %s: batch %d is of other tokens than the run's: its text or its order changed", l.path, batch)
	}
	tokens, logs = l.decode(body[8:])
	return tokens, logs, true, nil
}

func (l *Logits) at(batch int) int64 { return l.head + int64(batch)*l.of.recordBytes() }

func (l *Logits) damaged(batch int) error {
	return fmt.Errorf("logits %s: batch %d is %w; with its teacher the run writes it anew", l.path, batch, ErrDamaged)
}

func (l *Logits) decode(body []byte) ([]int32, []float32) {
	n, width := l.of.positions()*l.of.TopK, l.of.tokenBytes()
	tokens, logs := make([]int32, n), make([]float32, n)
	for i := range n {
		if width == 2 {
			tokens[i] = int32(endian.LittleEndian.Uint16(body[2*i:]))
		} else {
			tokens[i] = int32(endian.LittleEndian.Uint32(body[4*i:]))
		}
		logs[i] = float16.FromBits(endian.LittleEndian.Uint16(body[width*n+2*i:])).Float32()
	}
	return tokens, logs
}

// Put writes the record of a batch.
func (l *Logits) Put(batch int, windows, tokens []int32, logs []float32) error {
	if n := l.of.positions() * l.of.TopK; len(tokens) != n || len(logs) != n || len(windows) != l.of.Batch*(l.of.SeqLen+1) {
		return fmt.Errorf("logits %s: %d tokens and %d log-probabilities for windows of %d ids: want %d for %d",
			l.path, len(tokens), len(logs), len(windows), n, l.of.Batch*(l.of.SeqLen+1))
	}
	record := endian.LittleEndian.AppendUint64(make([]byte, 0, l.of.recordBytes()), cite(windows))
	for _, t := range tokens {
		if l.of.tokenBytes() == 2 {
			record = endian.LittleEndian.AppendUint16(record, uint16(t))
		} else {
			record = endian.LittleEndian.AppendUint32(record, uint32(t))
		}
	}
	for _, v := range logs {
		record = endian.LittleEndian.AppendUint16(record, float16.FromFloat32(max(v, leastLog)).Bits())
	}
	record = endian.LittleEndian.AppendUint32(record, crc32.Checksum(record, castagnoli))
	if _, err := l.file.WriteAt(record, l.at(batch)); err != nil {
		return fmt.Errorf("logits %s: batch %d: %w", l.path, batch, err)
	}
	return nil
}

// leastLog is a log-probability that counts for nothing, and that float16 has.
const leastLog = -60000

// Batches counts the records, and the batches up to the last of them.
func (l *Logits) Batches() (written, upTo int, err error) {
	info, err := l.file.Stat()
	if err != nil {
		return 0, 0, err
	}
	upTo = int(max(0, info.Size()-l.head) / l.of.recordBytes())
	var cited [8]byte
	for batch := range upTo {
		if _, err := l.file.ReadAt(cited[:], l.at(batch)); err != nil {
			return 0, 0, err
		}
		if endian.LittleEndian.Uint64(cited[:]) != 0 {
			written++
		}
	}
	return written, upTo, nil
}

// Close closes the file.
func (l *Logits) Close() error { return errors.Join(l.file.Sync(), l.file.Close()) }

// likeliest finds the k largest of a row's logits, best first, and their log-probabilities at a temperature: z/t - logΣexp(z/t).
// Of equal logits the one with the lower number comes first.
func likeliest(logits []float32, temperature float64, tokens []int32, logs []float32) {
	for i := range tokens {
		tokens[i] = int32(i)
	}
	best := byLogit{logits, tokens} // the least of the largest so far is on top
	heap.Init(best)
	for i := len(tokens); i < len(logits); i++ {
		if logits[i] > logits[tokens[0]] {
			tokens[0] = int32(i)
			heap.Fix(best, 0)
		}
	}
	sort.Sort(sort.Reverse(best))
	largest, sum := float64(logits[tokens[0]]), 0.0
	for _, z := range logits {
		sum += math.Exp((float64(z) - largest) / temperature)
	}
	logSum := math.Log(sum)
	for i, t := range tokens {
		logs[i] = float32((float64(logits[t])-largest)/temperature - logSum)
	}
}

// byLogit orders tokens by their logits, and equal ones so that the lower number is the greater. Its length never changes.
type byLogit struct {
	logits []float32
	tokens []int32
}

func (b byLogit) Len() int      { return len(b.tokens) }
func (b byLogit) Swap(i, j int) { b.tokens[i], b.tokens[j] = b.tokens[j], b.tokens[i] }
func (b byLogit) Less(i, j int) bool {
	x, y := b.tokens[i], b.tokens[j]
	return cmp.Or(cmp.Compare(b.logits[x], b.logits[y]), cmp.Compare(y, x)) < 0
}
func (byLogit) Push(any) { panic("distill: the likeliest tokens are as many as they were") }
func (byLogit) Pop() any { panic("distill: the likeliest tokens are as many as they were") }
