//! The texts that belong to the docs, and to no item. They are built with the docs and tested with their
//! programs, and are no part of the library.

#[doc = include_str!("docs/recipes.md")]
pub mod recipes {}

#[doc = include_str!("docs/moving_over.md")]
pub mod moving_over {}

#[doc = include_str!("docs/from_go.md")]
pub mod from_go {}

#[doc = include_str!("docs/beyond_one_machine.md")]
pub mod beyond_one_machine {}

#[doc = include_str!("docs/pictures.md")]
pub mod pictures {}

#[doc = include_str!("../COMPARE.md")]
pub mod comparison {}

#[doc = include_str!("../DESIGN.md")]
pub mod design {}

#[doc = include_str!("../VERIFICATION.md")]
pub mod verification {}
