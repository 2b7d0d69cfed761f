package datasets

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// validationShare of 50 documents means 2%.
const validationShare = 50

// split divides documents, which come sorted by path, by a hash of the path alone: adding or removing a file moves no
// other. A corpus so small that one half would be empty gives its smallest hash to validation.
func split(documents []textFile) (training, validation []textFile) {
	for _, d := range documents {
		if heldOut(d.Path, validationShare) {
			validation = append(validation, d)
		} else {
			training = append(training, d)
		}
	}
	if len(documents) < 2 || (len(training) > 0 && len(validation) > 0) {
		return training, validation
	}
	held := slices.MinFunc(documents, func(a, b textFile) int {
		return cmp.Compare(pathHash("split", a.Path), pathHash("split", b.Path))
	})
	training = slices.DeleteFunc(slices.Clone(documents), func(d textFile) bool { return d.Path == held.Path })
	return training, []textFile{held}
}

// HeldOut reports whether a document of a source is for validation, so that no run on the same data trains on it. A source so small
// that none of its documents is gives one of them, which this does not know.
func HeldOut(id string) bool { return heldOut(id, validationShare) }

// heldOut reports whether a document is for validation, where one in so many is.
func heldOut(id string, share int) bool { return pathHash("split", id)%uint64(share) == 0 }

// pathHash is a number that depends on the path and a purpose only, the same on every machine.
func pathHash(purpose, path string) uint64 {
	sum := sha256.Sum256([]byte(purpose + "\x00" + path))
	return binary.BigEndian.Uint64(sum[:8])
}
