package hub

import (
	"errors"
	"fmt"
	"net/http"
)

// What errors of this package can be asked for with errors.Is.
var (
	ErrNoRepository = errors.New("no such repository")
	ErrNoRevision   = errors.New("no such revision")
	ErrNoFile       = errors.New("no such file")
	ErrDenied       = errors.New("access denied")
	ErrNotCached    = errors.New("not in the cache")
	ErrDamaged      = errors.New("not the file that the repository lists") // of another size or hash
)

// refusal explains a response that will not change when the request is repeated.
func (s *Snapshot) refusal(response *http.Response) error {
	code, status := response.Header.Get("X-Error-Code"), response.Status
	page := s.client.settings.Endpoint + "/" + s.repo.page()
	switch {
	case code == "GatedRepo" || response.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w (%s): %s is restricted; accept its licence on %s, and %s", ErrDenied, status, s.repo.ID, page, s.client.tokenAdvice())
	case response.StatusCode == http.StatusUnauthorized && s.client.settings.Token != "":
		return fmt.Errorf("%w (%s): the hub does not take the token for %s; is HF_TOKEN, or the file that a login left, still valid?", ErrDenied, status, s.repo.ID)
	case code == "RepoNotFound" && response.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %s has no %s", ErrNoRepository, s.client.settings.Endpoint, s.repo.page())
	case response.StatusCode == http.StatusUnauthorized: // the public hub does not tell strangers which
		return fmt.Errorf("%w (%s): %s does not exist, or is private or restricted; check the name, or accept its licence on %s and %s",
			ErrDenied, status, s.repo.ID, page, s.client.tokenAdvice())
	case code == "RevisionNotFound":
		return fmt.Errorf("%w: %s has no revision %q", ErrNoRevision, s.repo.ID, s.repo.Revision)
	case response.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w (%s) in %s", ErrNoFile, status, s.repo.ID)
	}
	return fmt.Errorf("the hub answers %s", status)
}

func (c *Client) tokenAdvice() string {
	if c.settings.Token == "" {
		return "set HF_TOKEN to a token of that account"
	}
	return "use a token of that account in HF_TOKEN"
}
