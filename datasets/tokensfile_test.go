package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// shardBytesOf is a shard of documents as a file.
func shardBytesOf(t testing.TB, vocab int, documents ...[]int32) []byte {
	t.Helper()
	s := openShard{vocab: vocab}
	for _, d := range documents {
		s.add(d)
	}
	var out bytes.Buffer
	if err := s.write(&out, s.header()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestShard(t *testing.T) {
	for _, test := range []struct {
		vocab     int
		width     uint32
		documents [][]int32
	}{
		{300, 2, [][]int32{{1, 2, 299}, {0}, {7, 7}}},
		{1 << 16, 2, [][]int32{{1<<16 - 1}}},
		{1<<16 + 1, 4, [][]int32{{1 << 16, 3}, {0, 1, 2}}},
		{10, 2, nil},
	} {
		file := shardBytesOf(t, test.vocab, test.documents...)
		s, err := readShard(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		want, ends := slices.Concat(test.documents...), []byte(nil)
		for i := range test.documents {
			ends = binary.LittleEndian.AppendUint64(ends, uint64(len(slices.Concat(test.documents[:i+1]...))))
		}
		if s.Width != test.width || s.Vocab != uint64(test.vocab) || s.Tokens != uint64(len(want)) || s.Documents != uint64(len(test.documents)) {
			t.Errorf("a vocabulary of %d: header %+v", test.vocab, s.shardHeader)
		}
		for first := range want {
			got := make([]int32, len(want)-first)
			if err := s.read(uint64(first), got); err != nil || !slices.Equal(got, want[first:]) {
				t.Errorf("tokens from %d: %v, %v, want %v", first, got, err, want[first:])
			}
		}
		if got := file[shardHeaderSize+int64(len(want))*int64(test.width):]; !slices.Equal(got, ends) {
			t.Errorf("documents end at % x, want % x", got, ends)
		}
		if err := s.verify(); err != nil {
			t.Error(err)
		}
	}
}

func TestReadShardRefuses(t *testing.T) {
	whole := shardBytesOf(t, 300, []int32{1, 2, 3}, []int32{4})
	for _, test := range []struct {
		name string
		harm func(file []byte) []byte
		want string
	}{
		{"empty", func(f []byte) []byte { return nil }, "0 bytes are too few"},
		{"half a header", func(f []byte) []byte { return f[:40] }, "40 bytes are too few"},
		{"another file", func(f []byte) []byte { f[0] = 'X'; return f }, "no token shard"},
		{"a later version", func(f []byte) []byte { f[8] = 2; return f }, "version 2"},
		{"no width", func(f []byte) []byte { f[12] = 0; return f }, "0 bytes for a vocabulary of 300"},
		{"another width", func(f []byte) []byte { f[12] = 4; return f }, "4 bytes for a vocabulary of 300"},
		{"a huge vocabulary", func(f []byte) []byte { binary.LittleEndian.PutUint64(f[16:], math.MaxUint64); return f }, "damaged"},
		{"cut short", func(f []byte) []byte { return f[:len(f)-1] }, "4 tokens and 2 documents take 96"},
		{"longer", func(f []byte) []byte { return append(f, 0) }, "it has 97 bytes"},
		{"huge counts", func(f []byte) []byte { binary.LittleEndian.PutUint64(f[24:], math.MaxUint64); return f }, "damaged"},
		{"counts that overflow", func(f []byte) []byte { binary.LittleEndian.PutUint64(f[24:], 1<<63); return f }, "damaged"},
		{"huge documents", func(f []byte) []byte { binary.LittleEndian.PutUint64(f[32:], 1<<61); return f }, "damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := test.harm(slices.Clone(whole))
			if s, err := readShard(bytes.NewReader(file), int64(len(file))); err == nil || s != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestDamagedTokens(t *testing.T) {
	file := shardBytesOf(t, 300, []int32{1, 2, 3})
	file[shardHeaderSize+3] = 0xff // token 1
	s, err := readShard(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.verify(); !errors.Is(err, errDamagedShard) || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("verify: %v", err)
	}
	if err := s.read(0, make([]int32, 1)); err != nil {
		t.Errorf("the token before: %v", err)
	}
	if err := s.read(0, make([]int32, 2)); !errors.Is(err, errDamagedShard) || !strings.Contains(err.Error(), "token 1 is 65282 in a vocabulary of 300") {
		t.Errorf("a token outside the vocabulary: %v", err)
	}
}

// FuzzReadShard reads any bytes as a shard: what it accepts, it can read to the end.
func FuzzReadShard(f *testing.F) {
	f.Add(shardBytesOf(f, 300, []int32{1, 2, 3}, []int32{4}))
	f.Add(shardBytesOf(f, 1<<20, []int32{1 << 19}))
	hostile := shardBytesOf(f, 300, []int32{1, 2, 3})
	binary.LittleEndian.PutUint64(hostile[len(hostile)-8:], math.MaxUint64)
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := readShard(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		out := make([]int32, s.Tokens)
		if err := s.read(0, out); err == nil && slices.ContainsFunc(out, func(id int32) bool { return id < 0 || uint64(id) >= s.Vocab }) {
			t.Error("a token outside the vocabulary")
		}
		if s.verify() == nil && !bytes.Equal(file[40:72], s.Sum[:]) {
			t.Error("another checksum")
		}
	})
}
