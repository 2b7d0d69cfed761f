package checkpoint

// llama.cpp rotates neighbouring pairs (2i, 2i+1) of a head, transformers the pairs (i, i+half). Its converter therefore
// interleaves the rows of a query or key projection: row i of half s in head h moves to h*headSize + 2i + s
// (convert_hf_to_gguf.py, LlamaModel.permute). Both order the same rows; the model is the same.

// unpermute copies a query or key projection from llama.cpp's row order to that of transformers. src and dst hold rows
// of the given width, headSize rows a head; they must not overlap.
func unpermute(dst, src []float32, headSize, width int) {
	half := headSize / 2
	for head := 0; head < len(src); head += headSize * width {
		for i := range half {
			for s := range 2 {
				to, from := head+(s*half+i)*width, head+(2*i+s)*width
				copy(dst[to:to+width], src[from:from+width])
			}
		}
	}
}
