package plots

import "slices"

// fence is where an axis of losses may end: four times as far above the least as three quarters of them are, beyond which only
// outliers lie, such as sub-networks that the first draw broke. It is the greatest of few losses.
func fence(sorted []float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	least, quartile := sorted[0], sorted[(len(sorted)-1)*3/4]
	if top := least + 4*(quartile-least); len(sorted) >= 8 && quartile > least {
		return min(top, sorted[len(sorted)-1])
	}
	return slices.Max(sorted)
}
