package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client talks to one hub and keeps one cache. It may be used by several goroutines at once.
type Client struct {
	settings Settings
	endpoint *url.URL
	http     *http.Client

	// Patience, shorter in tests.
	attempts int           // in a row without a byte more
	pause    time.Duration // before the second attempt; doubled for each further one
	longest  time.Duration // that a server may ask to wait
	stall    time.Duration // without a byte before a connection counts as cut
}

// New makes a client. The error says which setting cannot be used.
func New(s Settings) (*Client, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	endpoint, _ := url.Parse(s.Endpoint) // complete did
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	c := &Client{settings: s, endpoint: endpoint, attempts: 5, pause: time.Second, longest: 10 * time.Minute, stall: time.Minute}
	c.http = &http.Client{Transport: &authorized{transport, endpoint, s.Token}}
	return c, nil
}

// authorized adds the token to requests to the endpoint, and to no others: redirects lead to other hosts.
type authorized struct {
	base     http.RoundTripper
	endpoint *url.URL
	token    string
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.token != "" && sameHost(r.URL, a.endpoint) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.base.RoundTrip(r)
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

func (c *Client) isOwn(u *url.URL) bool { return sameHost(u, c.endpoint) }

// get asks for an address, from a byte on. A response is 200, 206 or 416; the caller closes its body.
func (s *Snapshot) get(ctx context.Context, address string, from int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "offshoot")
	request.Header.Set("Accept-Encoding", "identity") // sizes are those of the files
	if from > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	response, err := s.client.http.Do(request)
	if err != nil {
		return nil, passing(err)
	}
	switch code := response.StatusCode; {
	case code == http.StatusOK, code == http.StatusPartialContent, code == http.StatusRequestedRangeNotSatisfiable && from > 0:
		return response, nil
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500, !s.client.isOwn(response.Request.URL):
		// Another host, to which the hub redirects, may refuse an address that is too old: the hub gives a new one.
		err = &passingError{fmt.Errorf("%s answers %s", response.Request.URL.Host, response.Status), retryAfter(response)}
	default:
		err = s.refusal(response)
	}
	_, _ = io.CopyN(io.Discard, response.Body, 1<<16) // so that the connection can be used again
	response.Body.Close()
	return nil, err
}

// passingError is a fault that a repeated request may not meet again.
type passingError struct {
	error
	wait time.Duration // that the server asks for; 0 for none
}

func (e *passingError) Unwrap() error { return e.error }

func passing(err error) error { return &passingError{error: err} }

// retryAfter is how long a server asks to wait, in seconds or until a time.
func retryAfter(r *http.Response) time.Duration {
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// retry repeats one until it succeeds, fails for good, or failed several times in a row. An attempt that got further than
// the ones before it starts the count anew.
func (c *Client) retry(ctx context.Context, one func() (further bool, err error)) error {
	pause := c.pause
	for failed := 0; ; {
		further, err := one()
		var fault *passingError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.As(err, &fault):
			return err
		case further:
			failed, pause = 0, c.pause
		}
		if failed++; failed >= c.attempts {
			return fmt.Errorf("%w (given up after %d attempts)", fault.error, failed)
		}
		if fault.wait > c.longest {
			return fmt.Errorf("%w: it asks to wait for %s", fault.error, fault.wait)
		}
		// A little chance keeps many clients from coming back all at once.
		if err := sleep(ctx, max(fault.wait, pause+rand.N(pause/2+1))); err != nil {
			return err
		}
		pause *= 2
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
