//! Where the parts of the program go.

fn main() {
    println!(
        "cargo:rustc-link-arg=-T{}/memory.x",
        env!("CARGO_MANIFEST_DIR")
    );
}
