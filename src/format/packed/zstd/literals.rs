//! The literals of a Zstandard block. Source: RFC 8878 §3.1.1.3.1 and §4.2.

use super::super::bits::{Downwards, Upwards};
use super::super::huffman::{Huffman, Order};
use super::Input;
use super::fse::Table;
use alloc::vec;
use alloc::vec::Vec;

/// No block is longer when unpacked.
const BLOCK_MAX: usize = 128 << 10;
/// No code is longer, in bits.
const CODE_MAX: u32 = 11;
const WEIGHT_LOG_MAX: u8 = 6;

/// Reads the section. A tree that is described replaces `huffman`.
#[inline(never)]
pub fn read(block: &mut Input, huffman: &mut Huffman) -> Option<Vec<u8>> {
    let mut head = Upwards::new(block.0);
    let (kind, format) = (head.take(2), head.take(2));
    let (size, packed) = if kind < 2 {
        let size = match format {
            1 => head.take(12),
            3 => head.take(20),
            // The format is one bit only; the other is the lowest of the size.
            _ => head.take(4) << 1 | format >> 1,
        };
        (size, 0)
    } else {
        let bits = *[10, 10, 14, 18].get(format)?;
        (head.take(bits), head.take(bits))
    };
    block.bytes(head.byte())?;
    if size > BLOCK_MAX {
        return None;
    }
    match kind {
        0 => return block.bytes(size).map(<[u8]>::to_vec),
        1 => return Some(vec![block.number(1)? as u8; size]),
        _ => (),
    }
    let mut packed = Input(block.bytes(packed)?);
    if kind == 2 {
        *huffman = tree(&mut packed)?;
    }
    let mut literals = Vec::new();
    if format == 0 {
        stream(packed.0, huffman, size, &mut literals)?;
        return Some(literals);
    }
    // Four streams of the same length, but for the last; a table says how long three are packed.
    let mut sizes = Input(packed.bytes(6)?);
    let share = size.div_ceil(4);
    for _ in 0..3 {
        let length = sizes.number(2)?;
        stream(packed.bytes(length)?, huffman, share, &mut literals)?;
    }
    let rest = size.checked_sub(literals.len())?;
    stream(packed.0, huffman, rest, &mut literals)?;
    Some(literals)
}

fn stream(packed: &[u8], huffman: &Huffman, count: usize, literals: &mut Vec<u8>) -> Option<()> {
    let mut bits = Downwards::new(packed)?;
    for _ in 0..count {
        let code = huffman.code(bits.peek(huffman.longest))?;
        bits.skip(code.length);
        literals.push(code.symbol as u8);
    }
    bits.end()
}

/// The codes, from weights: §4.2.1.
#[inline(never)]
fn tree(packed: &mut Input) -> Option<Huffman> {
    let head = packed.number(1)?;
    let mut weights = Vec::new();
    if let Some(count) = head.checked_sub(127) {
        let bytes = packed.bytes(count.div_ceil(2))?.iter();
        weights.extend(bytes.flat_map(|byte| [byte >> 4, byte & 15]));
        weights.truncate(count);
    } else {
        packed_weights(packed.bytes(head)?, &mut weights)?;
    }
    // Weights are shares of the whole, as powers of two. The last one is what is missing: §4.2.1.
    let mut sum = 0_u32;
    for &weight in &weights {
        sum = sum.wrapping_add(1_u32.checked_shl(weight.into())? >> 1);
    }
    let longest = sum.checked_ilog2()?.wrapping_add(1);
    let missing = 1_u32.wrapping_shl(longest).wrapping_sub(sum);
    if longest > CODE_MAX || !missing.is_power_of_two() {
        return None;
    }
    weights.push(missing.checked_ilog2()?.wrapping_add(1) as u8);
    for weight in weights.iter_mut().filter(|weight| **weight > 0) {
        *weight = (longest as u8).wrapping_add(1).wrapping_sub(*weight);
    }
    Huffman::new(&weights, Order::LongFirst)
}

/// Two states take turns until the bits are used up: §4.2.1.2.
fn packed_weights(packed: &[u8], weights: &mut Vec<u8>) -> Option<()> {
    let mut table = Table::EMPTY;
    let start = table.read(packed, WEIGHT_LOG_MAX)?;
    let mut bits = Downwards::new(packed.get(start..)?)?;
    let mut now = table.after(table.start()?, &mut bits);
    let mut then = table.after(table.start()?, &mut bits);
    // The last of 256 symbols is not told.
    while weights.len() < 255 {
        weights.push(now.symbol);
        (now, then) = (then, table.after(now, &mut bits));
        if bits.over() {
            weights.push(now.symbol);
            return Some(());
        }
    }
    None
}
