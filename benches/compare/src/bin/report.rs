//! Draws what the last runs have found, with and without LTO, and writes it into README and COMPARE.

use std::error::Error;
use std::path::Path;

use hchan_compare::machine::Profile;
use hchan_compare::pages::{self, Build};
use hchan_compare::report::Results;

fn main() -> Result<(), Box<dyn Error>> {
    let mut builds = Vec::new();
    for profile in Profile::ALL {
        match Results::read(&profile.results()) {
            Ok(results) => builds.push(Build { profile, results }),
            // The build that all users have is needed, the other is not.
            Err(error) if profile == Profile::Release => return Err(error),
            Err(error) => eprintln!("{} is left out: {error}", profile.name()),
        }
    }
    for build in &builds {
        let folder = build.profile.results();
        pages::draw(build, &folder)?;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    pages::renew(&root.join("README.md"), &pages::readme(&builds))?;
    pages::renew(&root.join("COMPARE.md"), &pages::compare(&builds))?;
    Ok(())
}
