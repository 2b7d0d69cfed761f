package model

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope

	"github.com/offshoot-ml/offshoot/slm"
)

// Mixed precision (Micikevicius et al. 2018, arXiv 1710.03740): matrices are rounded to bfloat16 at the start of a forward pass,
// and whatever meets them in a product is, too. All else stays float32, as under PyTorch's autocast:
//
//   - weights and their updates, since an update below 2⁻⁹ of its weight would be rounded away in bfloat16, which has 8 bits;
//   - the sum of layers' outputs, to which late layers add little beside what is there;
//   - norms' means and the softmax's sums, since bfloat16 stops counting at 256 equal terms;
//   - rotary angles, since at position 257 bfloat16 knows positions only to the next even one;
//   - log-probabilities and the loss, whose differences between logits are smaller than bfloat16's step at the logits' size;
//   - gradients between two products, their sums over batches, and their norm: sums again, of numbers of all sizes.

// in is the block with matrices of a type: Float32, which none means, or BFloat16.
func (b *block) in(numbers slm.NumberType) *block {
	for _, w := range b.config.LayerWeights() {
		if matrix, ok := b.weight[w.Role]; ok && !w.IsVector() {
			b.weight[w.Role] = matrixIn(numbers, matrix)
		}
	}
	return b
}

func matrixIn(numbers slm.NumberType, matrix *Node) *Node {
	if numbers != slm.BFloat16 {
		return matrix
	}
	return ConvertDType(matrix, dtypes.BFloat16)
}

// product is a matrix product, with axes as in [DotGeneral]. Its factors are rounded to a type, and so is each element of the result,
// a sum in float32, before it is float32 again.
func product(numbers dtypes.DType, a *Node, aContracted, aBatch []int, b *Node, bContracted, bBatch []int) *Node {
	a, b = ConvertDType(a, numbers), ConvertDType(b, numbers)
	// GoMLX would set the type of sums itself, and from that compute the gradient's two products in float32. Without it they are of the
	// same type as this one. Sums are float32 on all devices.
	out := Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType).General(aContracted, aBatch, bContracted, bBatch)
	return ConvertDType(out, dtypes.Float32)
}
