//! Bits of an H.264 stream, most significant first, and the codes that its headers are written in
//! (ITU-T H.264, 7.2 and 9.1).

/// Bits under way; the last byte may be begun.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    begun: u8,
    filled: u8,
}

impl Bits {
    pub(super) fn flag(&mut self, bit: bool) {
        self.begun = (self.begun << 1) | u8::from(bit);
        self.filled += 1;
        if self.filled == 8 {
            self.bytes.push(self.begun);
            (self.begun, self.filled) = (0, 0);
        }
    }

    /// u(n): a number in so many bits.
    pub(super) fn number(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.flag(value >> bit & 1 == 1);
        }
    }

    /// ue(v): Exp-Golomb, short for small numbers.
    pub(super) fn unsigned(&mut self, value: u32) {
        let code = value + 1;
        let bits = u32::BITS - code.leading_zeros();
        self.number(0, bits - 1);
        self.number(code, bits);
    }

    /// se(v): 0, 1, -1, 2, -2 ... as 0, 1, 2, 3, 4.
    pub(super) fn signed(&mut self, value: i32) {
        let twice = value.unsigned_abs() * 2;
        self.unsigned(if value > 0 { twice - 1 } else { twice });
    }

    /// Zero bits up to the next whole byte.
    pub(super) fn align(&mut self) {
        while self.filled != 0 {
            self.flag(false);
        }
    }

    /// Whole bytes; only where the bits are aligned.
    pub(super) fn raw(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.bytes.extend(bytes);
    }

    /// A NAL unit of these bits: closed by a one, and with a three put in wherever the bytes could be
    /// taken for a start code (7.4.1).
    pub(super) fn nal(mut self, reference: u8, kind: u8) -> Vec<u8> {
        self.flag(true);
        self.align();
        let mut nal = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 64 + 1);
        nal.push(reference << 5 | kind);
        let mut zeros = 0;
        for byte in self.bytes {
            if zeros >= 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        nal
    }
}
