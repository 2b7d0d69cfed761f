package datasets

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// A shard is a file of tokens, little-endian:
//
//	header     72 bytes: the fields of shardHeader in their order
//	tokens     width bytes each
//	documents  8 bytes each: the number of tokens in the shard up to the end of the document, its separator included
//
// Documents are whole: none goes on in the next shard.

const (
	shardMagic   = "OFFTOKEN"
	shardVersion = 1
)

// shardHeader opens a shard.
type shardHeader struct {
	Magic     [8]byte
	Version   uint32
	Width     uint32 // bytes of a token: 2 or 4
	Vocab     uint64 // every token is smaller
	Tokens    uint64
	Documents uint64
	Sum       [sha256.Size]byte // of all that follows the header
}

var shardHeaderSize = int64(binary.Size(shardHeader{}))

// tokenWidth is the bytes that a token of a vocabulary takes.
func tokenWidth(vocab int) uint32 {
	if vocab <= math.MaxUint16+1 {
		return 2
	}
	return 4
}

// body is the number of bytes after the header, or -1 if no file has so many.
func (h shardHeader) body() int64 {
	if h.Tokens > math.MaxInt64/16 || h.Documents > math.MaxInt64/16 {
		return -1
	}
	return int64(h.Tokens)*int64(h.Width) + int64(h.Documents)*8
}

// shard reads a shard's tokens from its file. Several goroutines may use it.
type shard struct {
	shardHeader
	file io.ReaderAt
}

// errDamagedShard says of a shard that it is not what Tokenize wrote.
var errDamagedShard = errors.New("it is damaged: delete the folder and tokenize again")

// readShard reads and checks a shard's header against its size in bytes. It allocates nothing that the header asks for.
func readShard(file io.ReaderAt, size int64) (*shard, error) {
	s := &shard{file: file}
	if err := binary.Read(io.NewSectionReader(file, 0, size), binary.LittleEndian, &s.shardHeader); err != nil {
		return nil, fmt.Errorf("%d bytes are too few for a header: %w", size, errDamagedShard)
	}
	switch {
	case string(s.Magic[:]) != shardMagic:
		return nil, fmt.Errorf("it is no token shard (it begins with %q): %w", s.Magic, errDamagedShard)
	case s.Version != shardVersion:
		return nil, fmt.Errorf("its format has version %d, this program reads %d: tokenize again", s.Version, shardVersion)
	case s.Vocab > math.MaxInt32 || s.Width != tokenWidth(int(s.Vocab)):
		return nil, fmt.Errorf("its tokens have %d bytes for a vocabulary of %d: %w", s.Width, s.Vocab, errDamagedShard)
	case s.body() != size-shardHeaderSize:
		return nil, fmt.Errorf("it has %d bytes where its %d tokens and %d documents take %d: %w",
			size, s.Tokens, s.Documents, shardHeaderSize+s.body(), errDamagedShard)
	}
	return s, nil
}

// read fills out with the tokens from first on, which the shard must have.
func (s *shard) read(first uint64, out []int32) error {
	raw := make([]byte, len(out)*int(s.Width))
	if n, err := s.file.ReadAt(raw, shardHeaderSize+int64(first)*int64(s.Width)); n < len(raw) {
		return err
	}
	for i := range out {
		id := uint32(0)
		if s.Width == 2 {
			id = uint32(binary.LittleEndian.Uint16(raw[2*i:]))
		} else {
			id = binary.LittleEndian.Uint32(raw[4*i:])
		}
		if uint64(id) >= s.Vocab {
			return fmt.Errorf("its token %d is %d in a vocabulary of %d: %w", first+uint64(i), id, s.Vocab, errDamagedShard)
		}
		out[i] = int32(id)
	}
	return nil
}

// verify reads the whole shard and reports what is not as it was written.
func (s *shard) verify() error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(s.file, shardHeaderSize, s.body())); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), s.Sum[:]) {
		return fmt.Errorf("its checksum is %.12x, it was written with %.12x: %w", sum.Sum(nil), s.Sum, errDamagedShard)
	}
	return nil
}

// openShard collects the documents of a shard before it is written.
type openShard struct {
	vocab  int
	tokens []byte   // as in the file
	ends   []uint64 // of the documents
}

// add appends the tokens of a document.
func (s *openShard) add(ids []int32) {
	if tokenWidth(s.vocab) == 2 {
		s.tokens = slices.Grow(s.tokens, 2*len(ids))
		for _, id := range ids {
			s.tokens = binary.LittleEndian.AppendUint16(s.tokens, uint16(id))
		}
	} else {
		for _, id := range ids {
			s.tokens = binary.LittleEndian.AppendUint32(s.tokens, uint32(id))
		}
	}
	s.ends = append(s.ends, s.length())
}

// length is the number of tokens.
func (s *openShard) length() uint64 { return uint64(len(s.tokens)) / uint64(tokenWidth(s.vocab)) }

// header is that of the shard as it is.
func (s *openShard) header() shardHeader {
	h := shardHeader{Version: shardVersion, Width: tokenWidth(s.vocab), Vocab: uint64(s.vocab), Tokens: s.length(), Documents: uint64(len(s.ends))}
	copy(h.Magic[:], shardMagic)
	sum := sha256.New()
	s.writeBody(sum) // a hash does not fail
	sum.Sum(h.Sum[:0])
	return h
}

func (s *openShard) writeBody(out io.Writer) error {
	if _, err := out.Write(s.tokens); err != nil {
		return err
	}
	return binary.Write(out, binary.LittleEndian, s.ends)
}

// write writes the shard as a file with the header, which is the shard's.
func (s *openShard) write(out io.Writer, header shardHeader) error {
	if err := binary.Write(out, binary.LittleEndian, header); err != nil {
		return err
	}
	return s.writeBody(out)
}
