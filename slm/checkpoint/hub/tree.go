package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
)

// mostSiblings is how many files a listing of a revision is relied on for; of more the hub leaves some out.
const mostSiblings = 50_000

// mostPages bounds the pages of a tree, of which each has a thousand files.
const mostPages = 10_000

// treeEntry is a file or a folder of a tree.
type treeEntry struct {
	Type string `json:"type"` // file or directory
	Path string `json:"path"`
	OID  string `json:"oid"`
	Size int64  `json:"size"`
	LFS  *struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	} `json:"lfs"`
}

// askTree lists the files of the commit page by page.
func (s *Snapshot) askTree(ctx context.Context) error {
	s.Files = nil
	address := s.api() + "/tree/" + s.Commit + "?recursive=true"
	for page := 0; address != ""; page++ {
		if page == mostPages {
			return fmt.Errorf("the hub lists more than %d pages of files", mostPages)
		}
		entries, next, err := s.askPage(ctx, address)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := s.addEntry(e); err != nil {
				return err
			}
		}
		address = next
	}
	return nil
}

// askPage gets one page of a tree, and the address of the next.
func (s *Snapshot) askPage(ctx context.Context, address string) (entries []treeEntry, next string, err error) {
	response, err := s.get(ctx, address, 0)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostListing))
	if err != nil {
		return nil, "", passing(err)
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, "", fmt.Errorf("%s does not list files as a hub does: %w", s.client.settings.Endpoint, err)
	}
	next, err = s.nextPage(response)
	return entries, next, err
}

func (s *Snapshot) addEntry(e treeEntry) error {
	if e.Type != "file" {
		return nil
	}
	f := File{Name: e.Path, Size: e.Size, blob: e.OID}
	if e.LFS != nil {
		f.Size, f.SHA256, f.blob = e.LFS.Size, e.LFS.OID, e.LFS.OID
	}
	return s.add(f)
}

var nextLink = regexp.MustCompile(`<([^<>]+)>\s*;\s*rel="?next"?`)

// nextPage is the address that the Link header names, if any. It must be the hub's.
func (s *Snapshot) nextPage(response *http.Response) (string, error) {
	link := nextLink.FindStringSubmatch(response.Header.Get("Link"))
	if link == nil {
		return "", nil
	}
	next, err := response.Request.URL.Parse(link[1])
	if err != nil || !s.client.isOwn(next) {
		return "", fmt.Errorf("the hub continues its list of files at %q, which is not its own address (is HF_ENDPOINT right?)", link[1])
	}
	return next.String(), nil
}
