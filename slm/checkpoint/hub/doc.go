// Package hub fetches files of Hugging Face's repositories into the cache that Python's huggingface_hub uses, so that
// neither has to download what the other has.
//
// The story, in the order of the files:
//
//   - [Settings] say where from and where to; what they leave open comes from the environment variables that
//     huggingface_hub reads (settings.go).
//   - A [Client] opens a [Snapshot]: a revision's commit and the files that it has, each with its size and hash
//     (snapshot.go), listed page by page where there are many (tree.go). Offline, the cache tells (cache.go, listing.go).
//   - Fetching some of them downloads what the cache lacks (fetch.go), each file under a lock that other processes respect
//     (lock.go), in one go or going on where an earlier attempt ended (download.go). A file is in its place only after its
//     size and hash were checked (verify.go). [Progress] tells how far it is (progress.go).
//   - Requests carry the token to the endpoint and nowhere else, are repeated after faults that pass (request.go), and
//     explain those that do not (errors.go).
//
// It is a client of our own because the one of go-huggingface cannot resume a download, checks neither sizes nor hashes,
// has no offline mode, does not retry, refuses redirects and prints to the standard output.
package hub
