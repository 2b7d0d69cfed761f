package resident

import (
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// A lab's records belong to one teacher; a file with other weights under the same name must not continue them.
func TestAnotherTeacherUnderTheSameNameIsRefused(t *testing.T) {
	s, err := openStore(t.Context(), t.TempDir()+"/lab.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, step := range []struct{ sha256, want string }{{"aa", ""}, {"aa", ""}, {"bb", "put the old file back"}, {"aa", ""}} {
		err := s.useTeacher(t.Context(), "tiny", slm.Config{Name: "tiny"}, step.sha256)
		if (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("file %s: error %v, want %q", step.sha256, err, step.want)
		}
	}
}
