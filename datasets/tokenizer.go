package datasets

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/daulet/tokenizers"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Tokenizer cuts text into the tokens of a teacher's vocabulary and joins them again. It may be used by several
// goroutines at once.
type Tokenizer struct {
	json  []byte
	hash  string
	plain *tokenizers.Tokenizer // takes special tokens' text for text
	// special recognizes special tokens; made at first use.
	special func() (*tokenizers.Tokenizer, error)

	vocab     int
	separator int32
	nul       int32
	close     sync.Once
}

// endOfText separates documents in the training text of GPT-2's successors. It need not be the token that ends an answer.
const endOfText = "<|endoftext|>"

// nulToken is how byte-level BPE writes the byte 0.
const nulToken = "Ā"

// NewTokenizer builds the tokenizer of a GGUF's vocabulary. The error says what of it is not supported or inconsistent.
// Close frees it.
func NewTokenizer(v checkpoint.Vocabulary) (*Tokenizer, error) {
	text, err := tokenizerJSON(v)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	separator := slices.Index(v.Tokens, endOfText)
	if separator < 0 {
		separator = v.EOS
	}
	return newTokenizer(text, len(v.Tokens), separator, slices.Index(v.Tokens, nulToken))
}

// newTokenizer builds a tokenizer from the text of a tokenizer.json, the size of its vocabulary, and the ids of the token
// between documents and of the byte 0, -1 for none.
func newTokenizer(text []byte, vocab, separator, nul int) (*Tokenizer, error) {
	plain, err := tokenizers.FromBytes(text, tokenizers.WithEncodeSpecialTokens())
	if err != nil {
		return nil, fmt.Errorf("tokenizer: its parts do not fit together: %w", err)
	}
	sum := sha256.Sum256(text)
	return &Tokenizer{json: text, hash: hex.EncodeToString(sum[:]), plain: plain, vocab: vocab, separator: int32(separator), nul: int32(nul),
		special: sync.OnceValues(func() (*tokenizers.Tokenizer, error) { return tokenizers.FromBytes(text) })}, nil
}

// Encode is the ids of a text. The text of a special token, such as "<|im_end|>", is encoded letter by letter, so that no
// document can forge one; a byte that is not UTF-8 becomes U+FFFD. No token is added before or after. The error is the library's, of a
// vocabulary that has no token for some of the text, or of a tokenizer that is closed.
func (t *Tokenizer) Encode(text string) ([]int32, error) { return t.encode(t.plain, text) }

// encodeDocument is the ids of a document and the separator after them; none of an empty one.
func (t *Tokenizer) encodeDocument(text string) ([]int32, error) {
	if text == "" {
		return nil, nil
	}
	ids, err := t.Encode(text)
	if err != nil {
		return nil, err
	}
	return append(ids, t.separator), nil
}

// EncodePrompt is Encode, but the text of a special token becomes that token: for prompts in a chat's form.
func (t *Tokenizer) EncodePrompt(text string) ([]int32, error) {
	special, err := t.special()
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return t.encode(special, text)
}

// encode cuts the text at NUL bytes, which end a string on the way to the library.
func (t *Tokenizer) encode(with *tokenizers.Tokenizer, text string) ([]int32, error) {
	var ids []int32
	for i, part := range strings.Split(strings.ToValidUTF8(text, "\uFFFD"), "\x00") {
		if i > 0 && t.nul >= 0 {
			ids = append(ids, t.nul)
		}
		encoding, err := with.EncodeWithOptionsErr(part, false)
		if err != nil {
			return nil, fmt.Errorf("tokenizer: its vocabulary may lack what is in %.40q: %w", part, err)
		}
		ids = slices.Grow(ids, len(encoding.IDs))
		for _, id := range encoding.IDs {
			ids = append(ids, int32(id))
		}
	}
	return ids, nil
}

// Decode is the text of ids, special tokens included as their text. Ids outside the vocabulary are left out, and bytes
// that do not make UTF-8, as a cut at the end of ids leaves them, become U+FFFD. The error is the library's, such as that of a
// tokenizer that is closed.
func (t *Tokenizer) Decode(ids []int32) (string, error) {
	var text strings.Builder
	known := make([]uint32, 0, len(ids))
	flush := func() error {
		part, err := t.plain.DecodeErr(known, false)
		if err != nil {
			return fmt.Errorf("tokenizer: %w", err)
		}
		text.WriteString(part)
		known = known[:0]
		return nil
	}
	for _, id := range ids {
		switch {
		case id < 0 || int(id) >= t.vocab:
		case id == t.nul:
			if err := flush(); err != nil {
				return "", err
			}
			text.WriteByte(0)
		default:
			known = append(known, uint32(id))
		}
	}
	if err := flush(); err != nil {
		return "", err
	}
	return text.String(), nil
}

// Piece is the text of one token where it stands in the middle of a text: with its space, which some vocabularies drop at the
// beginning. Bytes that are a part of a letter become U+FFFD. It is empty where [Tokenizer.Decode] has no text.
func (t *Tokenizer) Piece(id int32) string {
	alone, _ := t.Decode([]int32{id})
	twice, _ := t.Decode([]int32{id, id})
	if after, ok := strings.CutPrefix(twice, alone); ok && utf8.ValidString(after) {
		return after
	}
	return alone
}

// Separator is the id of the token that follows each document; -1 for a vocabulary that has none, which cannot read a
// corpus.
func (t *Tokenizer) Separator() int32 { return t.separator }

// separates reports a tokenizer without a separator.
func (t *Tokenizer) separates() error {
	if t.separator < 0 {
		return fmt.Errorf("the tokenizer has neither %s nor an end-of-text token to put between documents", endOfText)
	}
	return nil
}

// Vocab is the number of tokens.
func (t *Tokenizer) Vocab() int { return t.vocab }

// JSON is the tokenizer in the tokenizer.json format of Hugging Face. The caller must not change it.
func (t *Tokenizer) JSON() []byte { return t.json }

// Hash is the SHA-256 of JSON, in hexadecimal: what a record of tokenized data cites.
func (t *Tokenizer) Hash() string { return t.hash }

// Close frees the library's memory. The tokenizer must not be in use, and cannot be used afterwards.
func (t *Tokenizer) Close() error {
	var err error
	t.close.Do(func() {
		err = t.plain.Close()
		if special, broken := t.special(); broken == nil {
			err = errors.Join(err, special.Close())
		}
	})
	return err
}
