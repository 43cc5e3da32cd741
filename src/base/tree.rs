//! The log as a tree, and its signed head (RFC 6962, section 2.1).
//!
//! A head and a short proof go out with every release. Whoever keeps them is a witness: the
//! audit cannot be rewritten without all of them.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The hash of an entry.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over leaf hashes.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        more => {
            let (left, right) = halves(more);
            node(&root(left), &root(right))
        }
    }
}

/// The hashes that lead from the leaf at `index` to the root; `None` past the end.
#[must_use]
pub fn proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let (left, right) = halves(leaves);
    let mut path = match index.checked_sub(left.len()) {
        None => proof(left, index).map(|path| (path, root(right))),
        Some(index) => proof(right, index).map(|path| (path, root(left))),
    }?;
    path.0.push(path.1);
    Some(path.0)
}

/// True if the proof leads from the leaf to the root of a tree of that size.
#[must_use]
pub fn is_proof(leaf: Hash, index: usize, size: usize, proof: &[Hash], root: &Hash) -> bool {
    index < size && climb(leaf, index, size, proof).is_some_and(|top| top == *root)
}

fn climb(leaf: Hash, index: usize, size: usize, proof: &[Hash]) -> Option<Hash> {
    if size == 1 {
        return proof.is_empty().then_some(leaf);
    }
    let (last, rest) = proof.split_last()?;
    let split = left_size(size);
    match index.checked_sub(split) {
        None => Some(node(&climb(leaf, index, split, rest)?, last)),
        Some(index) => Some(node(last, &climb(leaf, index, size - split, rest)?)),
    }
}

fn halves(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    leaves.split_at(left_size(leaves.len()).min(leaves.len()))
}

/// The largest power of two less than `size`, for a size above one.
fn left_size(size: usize) -> usize {
    size.div_ceil(2).next_power_of_two()
}

/// A head of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The gateway whose log it is.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

impl Head {
    /// The bytes that are signed: `wayleave/checkpoint/v1`, the origin, the size and the root in
    /// hexadecimal, a line each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("wayleave/checkpoint/v1\n{}\n{}\n{}\n", self.origin, self.size, hex(&self.root)).into_bytes()
    }

    /// The signature of the gateway.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(&self.to_bytes()).to_bytes()
    }

    /// True if that key signed it.
    #[must_use]
    pub fn is_signed(&self, key: &VerifyingKey, signature: &[u8; 64]) -> bool {
        key.verify(&self.to_bytes(), &Signature::from_bytes(signature)).is_ok()
    }
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::{Head, hex, is_proof, leaf, proof, root};

    #[test]
    fn the_published_roots() {
        // The test data of certificate-transparency's reference tree: eight entries.
        let entries: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let leaves: Vec<_> = entries.iter().map(|entry| leaf(entry)).collect();
        assert_eq!(
            hex(&root(&leaves[..1])),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(hex(&root(&leaves)), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
        assert_eq!(hex(&root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn every_proof_leads_to_its_root_and_to_no_other() {
        let leaves: Vec<_> = (0_u8..40).map(|n| leaf(&[n])).collect();
        for size in 1..=leaves.len() {
            let root = root(&leaves[..size]);
            for (index, leaf) in leaves[..size].iter().enumerate() {
                let path = proof(&leaves[..size], index).unwrap();
                assert!(is_proof(*leaf, index, size, &path, &root));
                assert!(!is_proof(leaves[(index + 1) % 40], index, size, &path, &root) || size == 40);
            }
            assert_eq!(proof(&leaves[..size], size), None);
        }
    }

    #[test]
    fn a_head_is_bound_to_its_gateway_and_size() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let head = Head { origin: "wayleave/test".to_owned(), size: 3, root: [1; 32] };
        let signature = head.sign(&key);
        assert!(head.is_signed(&key.verifying_key(), &signature));
        assert!(!Head { size: 4, ..head.clone() }.is_signed(&key.verifying_key(), &signature));
        assert!(
            !Head { origin: "wayleave/other".to_owned(), ..head }.is_signed(&key.verifying_key(), &signature)
        );
    }
}
