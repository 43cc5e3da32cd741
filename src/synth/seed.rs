//! Chance that can be had again: xoshiro256** (Blackman and Vigna, 2018), started by splitmix64.

/// A stream of numbers that follows from its seed alone.
#[derive(Clone)]
pub struct Seed([u64; 4]);

impl Seed {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self([(); 4].map(|()| splitmix(&mut state)))
    }

    /// A stream of its own for one purpose, so that drawing more for one thing moves no other.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        let [a, b, c, d] = self.0;
        // FNV-1a: any fixed hash of the label will do.
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self::new(hash ^ a.rotate_left(7) ^ b.rotate_left(19) ^ c.rotate_left(31) ^ d)
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c2, d2) = (c ^ a, d ^ b);
        self.0 = [a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)];
        result
    }

    /// A number from 0, below `bound`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = (u128::from(self.draw()) * u128::from(bound)) >> 64;
        u64::try_from(wide).unwrap_or(0)
    }

    /// A whole number from `low` to `high`, both counted.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low).saturating_add(1)).unwrap_or(1);
        low.saturating_add(i64::try_from(self.below(span)).unwrap_or(0))
    }

    /// True this many times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }

    /// One of these; the default where there are none.
    pub fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let count = u64::try_from(from.len()).unwrap_or(0);
        let at = usize::try_from(self.below(count)).unwrap_or(0);
        from.get(at).copied().unwrap_or_default()
    }

    /// A place in a list of `count`.
    pub fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.below(u64::try_from(count).unwrap_or(0))).unwrap_or(0)
    }

    /// An NHS number of the 999 range with the right check digit.
    pub fn nhs_number(&mut self) -> String {
        loop {
            let first = format!("999{:06}", self.below(1_000_000));
            if let Some(check) = check_digit(&first) {
                return format!("{first}{check}");
            }
        }
    }
}

/// The Modulus 11 check digit of nine digits; `None` where it would be 10.
#[must_use]
pub fn check_digit(first: &str) -> Option<u32> {
    let sum: u32 = first
        .bytes()
        .zip((2..=10).rev())
        .map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
        .sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        other => Some(other),
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Seed, splitmix};
    use crate::record::nhs_number::{Verdict, judge};

    #[test]
    fn splitmix_gives_its_published_first_numbers() {
        let mut state = 1_234_567;
        assert_eq!(splitmix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(splitmix(&mut state), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_seed_gives_the_same_stream_and_a_label_another() {
        let (mut one, mut two) = (Seed::new(5), Seed::new(5));
        assert!((0..100).all(|_| one.draw() == two.draw()));
        assert_ne!(Seed::new(5).fork("a").draw(), Seed::new(5).fork("b").draw());
    }

    #[test]
    fn draws_keep_to_their_bounds() {
        let mut seed = Seed::new(1);
        for _ in 0..1_000 {
            assert!((-3..=4).contains(&seed.between(-3, 4)));
            assert_eq!(judge(&seed.nhs_number()), Verdict::Good);
        }
        assert_eq!(seed.below(0), 0);
        assert_eq!(seed.pick::<&str>(&[]), "");
    }
}
