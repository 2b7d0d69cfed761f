package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/offshoot-ml/offshoot/slm"
)

// ReadSubnet reads a sub-network of a teacher from a JSON file. A field that a sub-network does not have is an error: a
// misspelt one would silently keep everything.
func ReadSubnet(path string, teacher slm.Config) (subnet slm.Subnet, err error) {
	file, err := os.Open(path)
	if err != nil {
		return subnet, err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&subnet)
	if err == nil && !errors.Is(decoder.Decode(new(any)), io.EOF) {
		err = errors.New("there is more after the sub-network")
	}
	if err == nil {
		err = subnet.Validate(teacher)
	}
	if err != nil {
		return slm.Subnet{}, fmt.Errorf("sub-network %s of %s: %w", path, teacher.Name, err)
	}
	return subnet, nil
}
