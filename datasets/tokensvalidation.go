package datasets

import "fmt"

// Validation is a fixed sample of the validation half: the first ceil(tokens/seqLen) windows of seqLen+1 ids, row-major, so
// that at least the given number of tokens is predicted. Windows never share a predicted token.
//
// The sample is spread evenly over the half: its windows are drawn without regard to documents, which they may span. For
// one seqLen a smaller sample is the beginning of a larger one. Asking for more than the half holds is an error that says
// how much there is.
func (t *Tokens) Validation(tokens, seqLen int) ([]int32, error) {
	if tokens < 1 || seqLen < 1 {
		return nil, fmt.Errorf("tokens: a validation sample of %d tokens in windows of %d is empty", tokens, seqLen)
	}
	windows, count := int64((tokens-1)/seqLen+1), t.validation.windows(seqLen)
	if windows > count {
		return nil, fmt.Errorf("tokens: the validation half of %s has %d windows of %d tokens; %d were asked for", t.Name(), count, seqLen, windows)
	}
	order := newPermutation(uint64(count), validationOrder, 0)
	width := seqLen + 1
	out := make([]int32, int(windows)*width)
	for i := range int(windows) {
		first := int64(order.at(uint64(i))) * int64(seqLen)
		if err := t.validation.read(first, out[i*width:(i+1)*width]); err != nil {
			return nil, fmt.Errorf("tokens: %w", err)
		}
	}
	return out, nil
}

// validationOrder is a seed, the same for all, so that losses can be compared.
const validationOrder = 0
