package fressian

// text reads a string whose code c has just been read.
func (d *Decoder) text(c byte) (string, error) {
	offset := d.off - 1
	if c != codeTextChunk {
		b, err := d.run(c, codeText0, "string")
		if err != nil {
			return "", err
		}
		if ascii(b) == len(b) {
			return string(b), nil
		}
		text, err := appendWTF8(make([]byte, 0, len(b)), b)
		if err != nil {
			return "", bad(offset, "%s", err)
		}
		return string(text), nil
	}
	return d.textChunks(offset)
}

// textChunks reads a string whose first code, that of a chunk, has just been read.
func (d *Decoder) textChunks(offset int) (string, error) {
	var text []byte
	for c := byte(codeTextChunk); ; {
		b, err := d.run(c, codeText0, "string")
		if err != nil {
			return "", err
		}
		if text, err = appendWTF8(text, b); err != nil {
			return "", bad(offset, "%s", err)
		}
		if c != codeTextChunk {
			return string(text), nil
		}
		if c, err = d.nextChunk("string"); err != nil {
			return "", err
		}
		if !isText(c) {
			return "", bad(d.off-1, "code %02X after a chunk of a string", c)
		}
	}
}

// bytes reads bytes whose code c has just been read.
func (d *Decoder) bytes(c byte) ([]byte, error) {
	whole := []byte{}
	for {
		b, err := d.run(c, codeBytes0, "bytes")
		if err != nil {
			return nil, err
		}
		whole = append(whole, b...)
		if c != codeBytesChunk {
			return whole, nil
		}
		if c, err = d.nextChunk("bytes"); err != nil {
			return nil, err
		}
		if !isLongBytes(c) {
			return nil, bad(d.off-1, "code %02X after a chunk of bytes", c)
		}
	}
}

// run reads the run of bytes that c, which has just been read, announces. c is code0 + 0..7 where
// it holds the length.
func (d *Decoder) run(c, code0 byte, noun string) ([]byte, error) {
	offset := d.off - 1
	if n := c - code0; n < packed {
		return d.take(offset, int64(n), noun)
	}
	n, err := d.count(offset, noun)
	if err != nil {
		return nil, err
	}
	return d.take(offset, n, noun)
}

func (d *Decoder) nextChunk(noun string) (byte, error) {
	if d.off == len(d.b) {
		return 0, short(d.off, "nothing after a chunk of %s", noun)
	}
	d.off++
	return d.b[d.off-1], nil
}
