package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Kind is what a repository holds.
type Kind string

// The kinds, by the hub's names.
const (
	Models   Kind = "models"
	Datasets Kind = "datasets"
)

// Repository names a repository on the hub, at a revision.
type Repository struct {
	Kind     Kind
	ID       string // "owner/name"; a few old ones have only a name
	Revision string // a branch, a tag or a commit's hash; "" is the branch main
}

var (
	validID       = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*$`)
	validRevision = regexp.MustCompile(`^[\w][\w.+-]*(/[\w][\w.+-]*)*$`)
	validCommit   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	validHash     = regexp.MustCompile(`^[0-9a-f]{40}$|^[0-9a-f]{64}$`)
)

// IsID reports whether a text has the form of a repository's name.
func IsID(text string) bool {
	return validID.MatchString(text) && !strings.Contains(text, "--") && !strings.Contains(text, "..") && len(text) <= 200
}

func (r Repository) check() error {
	switch {
	case r.Kind != Models && r.Kind != Datasets:
		return fmt.Errorf("repositories of kind %q are not supported", r.Kind)
	case !IsID(r.ID):
		return fmt.Errorf("%q is not the name of a repository, which is such as EleutherAI/pythia-70m", r.ID)
	case !validRevision.MatchString(r.Revision) || strings.Contains(r.Revision, ".."):
		return fmt.Errorf("%q is not the name of a revision", r.Revision)
	}
	return nil
}

// page is the repository's path on the hub.
func (r Repository) page() string {
	if r.Kind == Models {
		return r.ID
	}
	return string(r.Kind) + "/" + r.ID
}

// Snapshot is a repository at one commit.
type Snapshot struct {
	Commit  string // its hash
	Files   []File // in the order of the hub
	Partial bool   // Files are those that the cache has, perhaps not all: there is no network

	client  *Client
	repo    Repository
	offline error // why only the cache is used; nil when the hub answered
}

// File is one of a snapshot's files.
type File struct {
	Name   string // with / between folders
	Size   int64
	SHA256 string // of large files, which are stored by it; empty for others

	blob string // its name in the cache: the SHA-256, or the hash that git has for small files
}

// errOffline is the reason that a person gave.
var errOffline = errors.New("HF_HUB_OFFLINE is set; fetch it once without")

// Open finds the commit that a revision names, and its files. Offline, or when the hub does not answer, it is the commit
// that the cache last saw under that name.
func (c *Client) Open(ctx context.Context, repo Repository) (*Snapshot, error) {
	if repo.Revision == "" {
		repo.Revision = "main"
	}
	s := &Snapshot{client: c, repo: repo}
	if err := repo.check(); err != nil {
		return nil, err
	}
	if c.settings.Offline {
		s.offline = errOffline
		return s, s.fromCache()
	}
	err := c.retry(ctx, func() (bool, error) {
		err := s.ask(ctx)
		var fault *passingError
		if errors.As(err, &fault) && s.fromCache() == nil && ctx.Err() == nil {
			s.offline, err = fault.error, nil // rather what is there than waiting
		}
		return false, err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", repo.ID, err)
	}
	return s, nil
}

// listing is what the hub says about a revision.
type listing struct {
	SHA      string `json:"sha"`
	Siblings []struct {
		Name   string `json:"rfilename"`
		Size   *int64 `json:"size"`
		BlobID string `json:"blobId"`
		LFS    *struct {
			SHA256 string `json:"sha256"`
			Size   int64  `json:"size"`
		} `json:"lfs"`
	} `json:"siblings"`
}

// mostListing bounds a listing in bytes: a hundred thousand files take a third of it.
const mostListing = 64 << 20

// listingTime is the longest that a listing may take.
const listingTime = 5 * time.Minute

func (s *Snapshot) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listingTime)
	defer cancel()
	response, err := s.get(ctx, s.api()+"/revision/"+url.PathEscape(s.repo.Revision)+"?blobs=true", 0)
	if errors.Is(err, ErrNoFile) {
		return s.whatIsMissing(ctx)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostListing))
	if err != nil {
		return passing(err)
	}
	var l listing
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("%s does not answer as a hub does (is HF_ENDPOINT right?): %w", s.client.settings.Endpoint, err)
	}
	if err := s.accept(l); err != nil {
		return err
	}
	if len(s.Files) == 0 || len(s.Files) > mostSiblings {
		return s.askTree(ctx)
	}
	return nil
}

func (s *Snapshot) api() string {
	return fmt.Sprintf("%s/api/%s/%s", s.client.settings.Endpoint, s.repo.Kind, s.repo.ID)
}

// whatIsMissing tells a missing revision from a missing repository, for hubs that do not say it in their answer.
func (s *Snapshot) whatIsMissing(ctx context.Context) error {
	response, err := s.get(ctx, s.api(), 0)
	if err == nil {
		response.Body.Close()
		return fmt.Errorf("%w: %s has no revision %q", ErrNoRevision, s.repo.ID, s.repo.Revision)
	}
	if errors.Is(err, ErrNoFile) {
		return fmt.Errorf("%w: %s has no %s", ErrNoRepository, s.client.settings.Endpoint, s.repo.page())
	}
	return err
}

// accept takes over a listing. Names that lead out of the repository are an error, since they become paths.
func (s *Snapshot) accept(l listing) error {
	if !validCommit.MatchString(l.SHA) {
		return fmt.Errorf("the hub names %q as the commit of %s", l.SHA, s.repo.Revision)
	}
	s.Commit, s.Files = l.SHA, make([]File, 0, len(l.Siblings))
	for _, sibling := range l.Siblings {
		f := File{Name: sibling.Name, Size: -1, blob: sibling.BlobID}
		if sibling.Size != nil {
			f.Size = *sibling.Size
		}
		if sibling.LFS != nil {
			f.Size, f.SHA256, f.blob = sibling.LFS.Size, sibling.LFS.SHA256, sibling.LFS.SHA256
		}
		if err := s.add(f); err != nil {
			return err
		}
	}
	return nil
}

// add takes over a file of a list.
func (s *Snapshot) add(f File) error {
	if !isInside(f.Name) {
		return fmt.Errorf("the hub lists a file %q, which would lie outside the repository", f.Name)
	}
	s.Files = append(s.Files, f)
	return nil
}

// isInside reports whether a file's name stays below the folder that it is joined to.
func isInside(name string) bool {
	return name != "." && path.Clean(name) == name && filepath.IsLocal(filepath.FromSlash(name)) && !strings.ContainsAny(name, "\\\x00")
}

// Find is the file of a name.
func (s *Snapshot) Find(name string) (File, bool) {
	for _, f := range s.Files {
		if f.Name == name {
			return f, true
		}
	}
	return File{}, false
}

// address is where a file's content is.
func (s *Snapshot) address(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return fmt.Sprintf("%s/%s/resolve/%s/%s", s.client.settings.Endpoint, s.repo.page(), s.Commit, strings.Join(parts, "/"))
}
