//! What the server allows as a name, said before it is asked.

use crate::error::Error;

/// Streams and consumers: one token of a subject, and a file name.
pub(crate) fn name(setting: &'static str, value: &str) -> Result<(), Error> {
    let wrong = |why| Err(bad(setting, value, why));
    if value.is_empty() {
        return wrong("it is empty");
    }
    if value.contains('.') {
        return wrong("a name has no dots, only subjects have");
    }
    if value.contains(['*', '>']) {
        return wrong("a name has no wildcards, only subjects to read have");
    }
    if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return wrong("a name has no spaces");
    }
    if value.contains(['/', '\\']) {
        return wrong("a name has no slashes");
    }
    Ok(())
}

/// A subject to publish on.
pub(crate) fn subject(setting: &'static str, value: &str) -> Result<(), Error> {
    tokens(setting, value)?;
    if value.contains(['*', '>']) {
        return Err(bad(setting, value, "nothing can be published on wildcards"));
    }
    Ok(())
}

/// A subject to read, in which a token may be `*`, and the last one `>`.
pub(crate) fn filter(setting: &'static str, value: &str) -> Result<(), Error> {
    tokens(setting, value)?;
    let last = value.split('.').count() - 1;
    for (at, token) in value.split('.').enumerate() {
        if token.len() > 1 && token.contains(['*', '>']) {
            return Err(bad(setting, value, "a wildcard is a token of its own"));
        }
        if token == ">" && at != last {
            return Err(bad(setting, value, "`>` stands only at the end"));
        }
    }
    Ok(())
}

/// What a value is known by: a header, of which the server cuts off what is empty.
pub(crate) fn message_id(setting: &'static str, value: &str) -> Result<(), Error> {
    let wrong = |why| Err(bad(setting, value, why));
    if value.is_empty() {
        return wrong("it is empty");
    }
    if value.trim() != value {
        return wrong("an id has no spaces at its ends");
    }
    if value.contains(char::is_control) {
        return wrong("an id is one line, without control characters");
    }
    Ok(())
}

fn tokens(setting: &'static str, value: &str) -> Result<(), Error> {
    if value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(bad(setting, value, "a subject has no spaces"));
    }
    if value.split('.').any(str::is_empty) {
        return Err(bad(
            setting,
            value,
            "a subject is tokens between dots, none of them empty",
        ));
    }
    Ok(())
}

fn bad(setting: &'static str, value: &str, why: &'static str) -> Error {
    Error::Name {
        setting,
        value: value.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::{filter, message_id, name, subject};

    fn said(checked: Result<(), crate::Error>) -> String {
        checked.unwrap_err().to_string()
    }

    #[test]
    fn names_have_no_dots_stars_or_spaces() {
        name("stream", "WORK-1_a").unwrap();
        assert_eq!(
            said(name("stream", "my.work")),
            "the setting `stream` cannot be \"my.work\": a name has no dots, only subjects have"
        );
        for wrong in ["", "a*", "a>", "a b", "a\tb", "a/b", "a\\b"] {
            assert!(
                said(name("consumer", wrong)).contains("`consumer`"),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn subjects_are_tokens() {
        subject("subject", "words.de.1").unwrap();
        for wrong in ["", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>"] {
            assert!(
                said(subject("subject", wrong)).contains("`subject`"),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn ids_are_one_line() {
        for right in ["1", "a b", "file/1.txt 17", "ü"] {
            message_id("message_id", right).unwrap();
        }
        for wrong in ["", " ", " a", "a ", "a\nb", "a\r", "a\0b"] {
            assert!(
                said(message_id("message_id", wrong)).contains("`message_id`"),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn filters_have_wildcards() {
        for right in ["a", "a.*", "*.a", "a.>", ">"] {
            filter("filter", right).unwrap();
        }
        for wrong in ["a.>.b", "a*", "a.b>"] {
            assert!(
                said(filter("filter", wrong)).contains("`filter`"),
                "{wrong:?}"
            );
        }
    }
}
