//! `keccak-f[1600]`, written once for every lane width.
//!
//! [`define_permutation`] expands to a function `permute` over `[V; 25]`, where `V` holds the same
//! word of one or more states side by side. It is a macro rather than a function over a trait
//! because a trait's methods cannot carry `#[target_feature]`: expanded inside a module whose
//! operations carry it, the permutation is safe code, and its operations inline.
//!
//! The expanding module provides five functions over `V`:
//!
//! | function | value |
//! |---|---|
//! | `xor(a, b)` | `a ^ b` |
//! | `xor3(a, b, c)` | `a ^ b ^ c` |
//! | `chi(a, b, c)` | `a ^ (!b & c)` |
//! | `rotl::<L, R>(a)` | each word rotated left by `L` bits, which is right by `R = 64 - L` |
//! | `splat(w)` | the word `w` in every lane |
//!
//! A round reads its five-word rows along the diagonals that pi takes them from, so that 25 words
//! of state, five of theta and the row at hand are all that lives at one time: about what 32
//! registers hold. The loop over the rounds stays a loop: unrolled by 2, 4 or 8 it measured 4 to
//! 8 % slower with 8 lanes, unrolled whole 11 %, and 65 % with 4.

/// Rounds of `keccak-f[1600]`.
pub(super) const ROUNDS: usize = 24;

/// Iota's constants, one for each round.
pub(super) const ROUND_CONSTANTS: [u64; ROUNDS] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808A,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808B,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008A,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000A,
    0x0000_0000_8000_808B,
    0x8000_0000_0000_008B,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800A,
    0x8000_0000_8000_000A,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Defines `fn permute(&mut [$word; 25])` from the operations in scope; attributes go onto it.
macro_rules! define_permutation {
    ($(#[$attribute:meta])* $word:ty) => {
        /// Chi on one row.
        #[inline]
        $(#[$attribute])*
        fn row(b0: $word, b1: $word, b2: $word, b3: $word, b4: $word) -> [$word; 5] {
            [
                chi(b0, b1, b2),
                chi(b1, b2, b3),
                chi(b2, b3, b4),
                chi(b3, b4, b0),
                chi(b4, b0, b1),
            ]
        }

        /// `keccak-f[1600]` on every state of `state`, side by side.
        #[inline]
        $(#[$attribute])*
        fn permute(state: &mut [$word; 25]) {
            let mut a = *state;
            for constant in crate::keccak::permutation::ROUND_CONSTANTS {
                // Theta: the parity of each column, and what it adds to its neighbours.
                let c0 = xor3(xor3(a[0], a[5], a[10]), a[15], a[20]);
                let c1 = xor3(xor3(a[1], a[6], a[11]), a[16], a[21]);
                let c2 = xor3(xor3(a[2], a[7], a[12]), a[17], a[22]);
                let c3 = xor3(xor3(a[3], a[8], a[13]), a[18], a[23]);
                let c4 = xor3(xor3(a[4], a[9], a[14]), a[19], a[24]);
                let d0 = xor(c4, rotl::<1, 63>(c1));
                let d1 = xor(c0, rotl::<1, 63>(c2));
                let d2 = xor(c1, rotl::<1, 63>(c3));
                let d3 = xor(c2, rotl::<1, 63>(c4));
                let d4 = xor(c3, rotl::<1, 63>(c0));

                // Rho and pi: each row of the new state from a diagonal of the old one; then chi.
                let b0 = xor(a[0], d0);
                let b1 = rotl::<44, 20>(xor(a[6], d1));
                let b2 = rotl::<43, 21>(xor(a[12], d2));
                let b3 = rotl::<21, 43>(xor(a[18], d3));
                let b4 = rotl::<14, 50>(xor(a[24], d4));
                let e0 = row(b0, b1, b2, b3, b4);
                let e0 = [xor(e0[0], splat(constant)), e0[1], e0[2], e0[3], e0[4]];

                let b0 = rotl::<28, 36>(xor(a[3], d3));
                let b1 = rotl::<20, 44>(xor(a[9], d4));
                let b2 = rotl::<3, 61>(xor(a[10], d0));
                let b3 = rotl::<45, 19>(xor(a[16], d1));
                let b4 = rotl::<61, 3>(xor(a[22], d2));
                let e1 = row(b0, b1, b2, b3, b4);

                let b0 = rotl::<1, 63>(xor(a[1], d1));
                let b1 = rotl::<6, 58>(xor(a[7], d2));
                let b2 = rotl::<25, 39>(xor(a[13], d3));
                let b3 = rotl::<8, 56>(xor(a[19], d4));
                let b4 = rotl::<18, 46>(xor(a[20], d0));
                let e2 = row(b0, b1, b2, b3, b4);

                let b0 = rotl::<27, 37>(xor(a[4], d4));
                let b1 = rotl::<36, 28>(xor(a[5], d0));
                let b2 = rotl::<10, 54>(xor(a[11], d1));
                let b3 = rotl::<15, 49>(xor(a[17], d2));
                let b4 = rotl::<56, 8>(xor(a[23], d3));
                let e3 = row(b0, b1, b2, b3, b4);

                let b0 = rotl::<62, 2>(xor(a[2], d2));
                let b1 = rotl::<55, 9>(xor(a[8], d3));
                let b2 = rotl::<39, 25>(xor(a[14], d4));
                let b3 = rotl::<41, 23>(xor(a[15], d0));
                let b4 = rotl::<2, 62>(xor(a[21], d1));
                let e4 = row(b0, b1, b2, b3, b4);

                a = [
                    e0[0], e0[1], e0[2], e0[3], e0[4],
                    e1[0], e1[1], e1[2], e1[3], e1[4],
                    e2[0], e2[1], e2[2], e2[3], e2[4],
                    e3[0], e3[1], e3[2], e3[3], e3[4],
                    e4[0], e4[1], e4[2], e4[3], e4[4],
                ];
            }
            *state = a;
        }
    };
}

pub(super) use define_permutation;
