// The crate of the Go module, with an allocator of its own. Tokenizing allocates for every token on all
// cores at once. The host's malloc serves XLA, with few arenas (kernelext/start.go), in which the
// threads of the tokenizer would wait for each other: they take 2.6 times as long there.

#[path = "src/lib.rs"]
mod ffi;
pub use ffi::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
